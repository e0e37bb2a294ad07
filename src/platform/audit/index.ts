export { type AuditEntry, AuditTrail, auditEntrySchema } from "./audit-trail";
