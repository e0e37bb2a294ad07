-- contract: only the clean-up read this index, and it goes by `sequence` now. There is no release yet that reads it.
DROP INDEX `outbox_events_committed_at`;
