CREATE TABLE `daily_signups` (
	`day` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `event_deliveries` (
	`event_id` text NOT NULL,
	`consumer` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`last_error` text,
	`due_at` integer NOT NULL,
	`done_at` integer,
	`claim_token` text,
	`claimed_until` integer,
	PRIMARY KEY(`event_id`, `consumer`),
	CONSTRAINT "event_deliveries_state_known" CHECK("event_deliveries"."state" in ('pending', 'done', 'dead'))
);
--> statement-breakpoint
CREATE INDEX `event_deliveries_due` ON `event_deliveries` (`due_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `outbox_events` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`source` text NOT NULL,
	`subject` text NOT NULL,
	`schema_version` integer NOT NULL,
	`data` text NOT NULL,
	`traceparent` text,
	`committed_at` integer NOT NULL,
	`sent_at` integer
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
	`last_event_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "users_age_range" CHECK("users"."age" is null or "users"."age" between 1 and 150),
	CONSTRAINT "users_role_known" CHECK("users"."role" in ('user', 'admin'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_key` ON `users` (`email_key`);--> statement-breakpoint
CREATE INDEX `users_created_at` ON `users` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `users_name` ON `users` (`name`,`id`);