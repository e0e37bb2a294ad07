import { defineConfig } from "drizzle-kit";

/** `npm run migrations:generate -- --name verb_object` writes the next migration; wrangler applies it. */
export default defineConfig({
  dialect: "sqlite",
  schema: "./drizzle/schema",
  out: "./migrations",
});
