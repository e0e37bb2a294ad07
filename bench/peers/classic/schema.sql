-- The tables of the classic peer: what Meridian keeps of users, sessions, products and orders, in PostgreSQL's types.
CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL,
  email_key text NOT NULL UNIQUE,
  pending_email text,
  age integer CHECK (age BETWEEN 1 AND 150),
  role text NOT NULL CHECK (role IN ('user', 'admin')),
  is_email_verified boolean NOT NULL,
  password_hash text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX users_created_at ON users (created_at, id);
CREATE INDEX users_name ON users (name, id);

CREATE TABLE user_profiles (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  bio text,
  avatar_url text,
  locale text,
  timezone text
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);

CREATE TABLE refresh_tokens (
  digest text PRIMARY KEY,
  session_id uuid NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE products (
  id uuid PRIMARY KEY,
  sku text NOT NULL UNIQUE,
  name text NOT NULL,
  price_minor bigint NOT NULL CHECK (price_minor >= 0),
  currency text NOT NULL,
  stock integer NOT NULL CHECK (stock >= 0),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX products_created_at ON products (created_at, id);

CREATE TABLE orders (
  id uuid PRIMARY KEY,
  user_id uuid,
  status text NOT NULL,
  currency text NOT NULL,
  total_minor bigint NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX orders_created_at ON orders (created_at, id);
CREATE INDEX orders_user ON orders (user_id, created_at, id);

CREATE TABLE order_lines (
  order_id uuid NOT NULL REFERENCES orders (id),
  position integer NOT NULL,
  product_id uuid NOT NULL,
  sku text NOT NULL,
  name text NOT NULL,
  unit_price_minor bigint NOT NULL,
  quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
  PRIMARY KEY (order_id, position)
);

-- The event of each write, in the write's own transaction.
CREATE TABLE outbox_events (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  subject text NOT NULL,
  data jsonb NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now()
);
