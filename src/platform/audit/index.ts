export { type AuditEntry, type AuditQuery, type AuditRecord, AuditTrail } from "./audit-trail";
