CREATE TABLE `limit_overrides` (
	`client` text PRIMARY KEY NOT NULL,
	`plan` text,
	`limit_max` integer,
	`window_seconds` integer,
	`is_shadow` integer,
	CONSTRAINT "limit_overrides_either" CHECK(("limit_overrides"."plan" is null) = ("limit_overrides"."limit_max" is not null and "limit_overrides"."window_seconds" is not null and "limit_overrides"."is_shadow" is not null))
);
--> statement-breakpoint
CREATE INDEX `limit_overrides_plan` ON `limit_overrides` (`plan`,`client`);--> statement-breakpoint
CREATE TABLE `limit_plans` (
	`name` text PRIMARY KEY NOT NULL,
	`limit_max` integer NOT NULL,
	`window_seconds` integer NOT NULL,
	`is_shadow` integer NOT NULL
);
