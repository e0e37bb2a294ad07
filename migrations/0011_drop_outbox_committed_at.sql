-- Only the clean-up read it: it goes by `sequence` now.
DROP INDEX `outbox_events_committed_at`;
