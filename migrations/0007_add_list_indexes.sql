CREATE INDEX `orders_user_status` ON `orders` (`user_id`,`status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `outbox_events_committed_at` ON `outbox_events` (`committed_at`);--> statement-breakpoint
CREATE INDEX `users_admins_created_at` ON `users` (`created_at`,`id`) WHERE role = 'admin';--> statement-breakpoint
CREATE INDEX `users_admins_name` ON `users` (`name`,`id`) WHERE role = 'admin';