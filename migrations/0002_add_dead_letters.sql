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
	`resolution_id` text,
	CONSTRAINT "dead_letters_state_known" CHECK("dead_letters"."state" in ('open', 'replayed', 'discarded'))
);
--> statement-breakpoint
CREATE INDEX `dead_letters_state` ON `dead_letters` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_resolution` ON `dead_letters` (`resolution_id`) WHERE resolution_id is not null;--> statement-breakpoint
CREATE INDEX `dead_letters_event` ON `dead_letters` (`event_id`);--> statement-breakpoint
CREATE TABLE `event_subscriptions` (
	`type` text NOT NULL,
	`consumer` text NOT NULL,
	PRIMARY KEY(`type`, `consumer`)
);
--> statement-breakpoint
CREATE INDEX `event_subscriptions_consumer` ON `event_subscriptions` (`consumer`);--> statement-breakpoint
ALTER TABLE `event_deliveries` ADD `not_before` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `event_deliveries` ADD `relay_token` text;