-- contract: the table keeps its name and every column, and `rowid` stands in for the one that is gone. There is no
-- release yet that reads the old form.
--
-- The primary key is the table: without a rowid there is no second b-tree to write for each delivery. Drizzle has no
-- word for it, so its snapshot does not know: a rebuild that drizzle-kit writes would lose it.
--
-- The column `rowid` stands in for the rowid that is gone, for the sweep of a version from before, which goes by it while
-- this is deployed or after a rollback. It is computed and takes no room; it goes when no such version can run any more.
CREATE TABLE `new_event_deliveries` (
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
	`rowid` text GENERATED ALWAYS AS (`event_id` || ' ' || `consumer`) VIRTUAL,
	PRIMARY KEY(`event_id`, `consumer`),
	CONSTRAINT "event_deliveries_state_known" CHECK(`state` in ('pending', 'done', 'dead'))
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_event_deliveries`
	(`event_id`, `consumer`, `state`, `attempts`, `last_error`, `not_before`, `due_at`, `sent_at`, `done_at`, `relay_token`, `claim_token`, `claimed_until`)
SELECT `event_id`, `consumer`, `state`, `attempts`, `last_error`, `not_before`, `due_at`, `sent_at`, `done_at`, `relay_token`, `claim_token`, `claimed_until`
FROM `event_deliveries`;
--> statement-breakpoint
DROP TABLE `event_deliveries`;
--> statement-breakpoint
ALTER TABLE `new_event_deliveries` RENAME TO `event_deliveries`;
--> statement-breakpoint
CREATE INDEX `event_deliveries_due` ON `event_deliveries` (`due_at`) WHERE state = 'pending';
--> statement-breakpoint
CREATE INDEX `event_deliveries_relay` ON `event_deliveries` (`relay_token`) WHERE relay_token is not null;
