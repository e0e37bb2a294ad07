export {
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  AuditTrail,
  auditEntrySchema,
} from "./audit-trail";
