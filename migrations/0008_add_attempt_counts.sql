CREATE TABLE `attempt_counts` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`bucket_ends_at` integer NOT NULL,
	`count` integer NOT NULL,
	`last_charge_id` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `attempt_counts_bucket` ON `attempt_counts` (`key`,`bucket_ends_at`);