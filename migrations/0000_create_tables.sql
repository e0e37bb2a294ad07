-- `event_deliveries` is WITHOUT ROWID: its primary key is the table, so a delivery costs one row written less. Drizzle cannot
-- express this, so its snapshot does not show it: a rebuild of that table that drizzle-kit writes would lose it.
CREATE TABLE `attempt_counts` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`bucket_ends_at` integer NOT NULL,
	`count` integer NOT NULL,
	`last_charge_id` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `attempt_counts_bucket` ON `attempt_counts` (`key`,`bucket_ends_at`);--> statement-breakpoint
CREATE TABLE `audit_log` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`details` text NOT NULL,
	`request_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_log_actor` ON `audit_log` (`actor`,`sequence`);--> statement-breakpoint
CREATE INDEX `audit_log_subject` ON `audit_log` (`subject`,`sequence`);--> statement-breakpoint
CREATE TABLE `foreign_identities` (
	`issuer` text NOT NULL,
	`subject` text NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_through` integer DEFAULT 0 NOT NULL,
	`orphaned_at` integer,
	PRIMARY KEY(`issuer`, `subject`)
);
--> statement-breakpoint
CREATE INDEX `foreign_identities_user` ON `foreign_identities` (`user_id`);--> statement-breakpoint
CREATE INDEX `foreign_identities_orphaned` ON `foreign_identities` (`orphaned_at`) WHERE orphaned_at is not null;--> statement-breakpoint
CREATE TABLE `one_time_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`digest` text NOT NULL,
	`user_id` text NOT NULL,
	`purpose` text NOT NULL,
	`address_key` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`use_event_id` text,
	CONSTRAINT "one_time_tokens_purpose_known" CHECK("one_time_tokens"."purpose" in ('password_reset', 'email_verification', 'email_change'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `one_time_tokens_digest` ON `one_time_tokens` (`digest`);--> statement-breakpoint
CREATE INDEX `one_time_tokens_user` ON `one_time_tokens` (`user_id`,`purpose`,`created_at`);--> statement-breakpoint
CREATE INDEX `one_time_tokens_expiry` ON `one_time_tokens` (`expires_at`);--> statement-breakpoint
CREATE TABLE `refresh_tokens` (
	`digest` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer
);
--> statement-breakpoint
CREATE INDEX `refresh_tokens_session` ON `refresh_tokens` (`session_id`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`device` text NOT NULL,
	`location` text,
	`created_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ended_at` integer,
	`end_reason` text,
	`end_event_id` text,
	CONSTRAINT "sessions_end_whole" CHECK(("sessions"."ended_at" is null) = ("sessions"."end_reason" is null))
);
--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `idempotency_records` (
	`id` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`state` text NOT NULL,
	`claim_token` text NOT NULL,
	`leased_until` integer NOT NULL,
	`answer` text,
	`expires_at` integer NOT NULL,
	CONSTRAINT "idempotency_records_state_known" CHECK("idempotency_records"."state" in ('claimed', 'done'))
);
--> statement-breakpoint
CREATE INDEX `idempotency_records_expiry` ON `idempotency_records` (`expires_at`);--> statement-breakpoint
CREATE TABLE `daily_signups` (
	`day` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `limit_overrides` (
	`client` text PRIMARY KEY NOT NULL,
	`plan` text,
	`limit_max` integer,
	`window_seconds` integer,
	`is_shadow` integer,
	`last_change_id` text NOT NULL,
	CONSTRAINT "limit_overrides_either" CHECK(("limit_overrides"."plan" is null) = ("limit_overrides"."limit_max" is not null and "limit_overrides"."window_seconds" is not null and "limit_overrides"."is_shadow" is not null))
);
--> statement-breakpoint
CREATE INDEX `limit_overrides_plan` ON `limit_overrides` (`plan`,`client`);--> statement-breakpoint
CREATE TABLE `limit_plans` (
	`name` text PRIMARY KEY NOT NULL,
	`limit_max` integer NOT NULL,
	`window_seconds` integer NOT NULL,
	`is_shadow` integer NOT NULL,
	`last_change_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `order_history` (
	`order_id` text NOT NULL,
	`version` integer NOT NULL,
	`status` text NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	PRIMARY KEY(`order_id`, `version`),
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `order_history_actor` ON `order_history` (`actor`);--> statement-breakpoint
CREATE TABLE `order_lines` (
	`order_id` text NOT NULL,
	`position` integer NOT NULL,
	`product_id` text NOT NULL,
	`sku` text NOT NULL,
	`name` text NOT NULL,
	`unit_price_minor` integer NOT NULL,
	`quantity` integer NOT NULL,
	PRIMARY KEY(`order_id`, `position`),
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "order_lines_quantity_range" CHECK("order_lines"."quantity" between 1 and 1000),
	CONSTRAINT "order_lines_price_not_negative" CHECK("order_lines"."unit_price_minor" >= 0)
);
--> statement-breakpoint
CREATE TABLE `orders` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`status` text NOT NULL,
	`currency` text NOT NULL,
	`total_minor` integer NOT NULL,
	`version` integer NOT NULL,
	`last_change_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "orders_status_known" CHECK("orders"."status" in ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded')),
	CONSTRAINT "orders_total_not_negative" CHECK("orders"."total_minor" >= 0)
);
--> statement-breakpoint
CREATE INDEX `orders_created_at` ON `orders` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `orders_user` ON `orders` (`user_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `orders_status` ON `orders` (`status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `orders_user_status` ON `orders` (`user_id`,`status`,`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `products` (
	`id` text PRIMARY KEY NOT NULL,
	`sku` text NOT NULL,
	`name` text NOT NULL,
	`price_minor` integer NOT NULL,
	`currency` text NOT NULL,
	`stock` integer NOT NULL,
	`version` integer NOT NULL,
	`last_change_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "products_stock_not_negative" CHECK("products"."stock" >= 0),
	CONSTRAINT "products_price_range" CHECK("products"."price_minor" between 0 and 100000000000)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `products_sku_key` ON `products` (`sku`);--> statement-breakpoint
CREATE INDEX `products_created_at` ON `products` (`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`event_id` text NOT NULL,
	`type` text NOT NULL,
	`consumer` text NOT NULL,
	`attempts` integer NOT NULL,
	`last_error` text,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`resolved_at` integer,
	`resolved_by` text,
	`reason` text,
	`last_change_id` text,
	CONSTRAINT "dead_letters_state_known" CHECK("dead_letters"."state" in ('open', 'replayed', 'discarded'))
);
--> statement-breakpoint
CREATE INDEX `dead_letters_state` ON `dead_letters` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_change` ON `dead_letters` (`last_change_id`) WHERE last_change_id is not null;--> statement-breakpoint
CREATE INDEX `dead_letters_event` ON `dead_letters` (`event_id`);--> statement-breakpoint
CREATE TABLE `event_deliveries` (
	`event_id` text NOT NULL,
	`consumer` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`last_error` text,
	`not_before` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`sent_at` integer,
	`done_at` integer,
	`relay_token` text,
	`claim_token` text,
	`claimed_until` integer,
	PRIMARY KEY(`event_id`, `consumer`),
	CONSTRAINT "event_deliveries_state_known" CHECK("event_deliveries"."state" in ('pending', 'done', 'dead'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `event_deliveries_due` ON `event_deliveries` (`due_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `event_deliveries_relay` ON `event_deliveries` (`relay_token`) WHERE relay_token is not null;--> statement-breakpoint
CREATE TABLE `event_subscriptions` (
	`type` text NOT NULL,
	`consumer` text NOT NULL,
	PRIMARY KEY(`type`, `consumer`)
);
--> statement-breakpoint
CREATE INDEX `event_subscriptions_consumer` ON `event_subscriptions` (`consumer`);--> statement-breakpoint
CREATE TABLE `outbox_events` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`source` text NOT NULL,
	`subject` text NOT NULL,
	`schema_version` integer NOT NULL,
	`data` text NOT NULL,
	`traceparent` text,
	`committed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_events_id` ON `outbox_events` (`id`);--> statement-breakpoint
CREATE INDEX `outbox_events_type` ON `outbox_events` (`type`,`sequence`);--> statement-breakpoint
CREATE INDEX `outbox_events_subject` ON `outbox_events` (`subject`,`sequence`);--> statement-breakpoint
CREATE TABLE `user_profiles` (
	`user_id` text PRIMARY KEY NOT NULL,
	`bio` text,
	`avatar_url` text,
	`locale` text,
	`timezone` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`email_key` text NOT NULL,
	`pending_email` text,
	`age` integer,
	`role` text NOT NULL,
	`is_email_verified` integer NOT NULL,
	`password_hash` text,
	`token_epoch` integer DEFAULT 1 NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`last_change_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "users_age_range" CHECK("users"."age" is null or "users"."age" between 1 and 150),
	CONSTRAINT "users_role_known" CHECK("users"."role" in ('user', 'admin'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_key` ON `users` (`email_key`);--> statement-breakpoint
CREATE INDEX `users_created_at` ON `users` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `users_name` ON `users` (`name`,`id`);--> statement-breakpoint
CREATE INDEX `users_admins_created_at` ON `users` (`created_at`,`id`) WHERE role = 'admin';--> statement-breakpoint
CREATE INDEX `users_admins_name` ON `users` (`name`,`id`) WHERE role = 'admin';--> statement-breakpoint
CREATE TABLE `webhook_attempts` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`endpoint_id` text NOT NULL,
	`event_id` text NOT NULL,
	`type` text NOT NULL,
	`attempt` integer NOT NULL,
	`status_code` integer,
	`error` text,
	`duration_ms` integer NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhook_attempts_endpoint` ON `webhook_attempts` (`endpoint_id`,`id`);--> statement-breakpoint
CREATE INDEX `webhook_attempts_at` ON `webhook_attempts` (`at`);--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`types` text NOT NULL,
	`is_enabled` integer NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_expires_at` integer,
	`failing_since` integer,
	`last_change_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhook_endpoints_created_at` ON `webhook_endpoints` (`created_at`,`id`);