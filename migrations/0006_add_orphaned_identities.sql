ALTER TABLE `foreign_identities` ADD `orphaned_at` integer;--> statement-breakpoint
CREATE INDEX `foreign_identities_orphaned` ON `foreign_identities` (`orphaned_at`) WHERE orphaned_at is not null;