/** What a change of role from outside the Worker reads and writes: the same rows as the users service, in one batch. */

/** The consumers of `user.updated`, as `jobs/registry.ts` names them, and how long the event rests before each. */
export const CONSUMERS = [{ name: "cache-refresh", delaySeconds: 30 }];

/**
 * Returns a query for `{id, role, isVerified, createdAt, lastChangeId}` of the account with that address, or for no row.
 *
 * @param {string} email
 */
export function findStatement(email) {
  return `select id, role, is_email_verified as isVerified, created_at as createdAt, last_change_id as lastChangeId
    from users where email_key = ${keyOf(email)}`;
}

/**
 * Returns the statements that promote exactly the account that was read: if its address or the proof of it has changed
 * since, or another account has the address now, they write nothing.
 *
 * @param {{id: string, isVerified: number}} user as `findStatement` yields it
 * @param {{email: string, at: number, eventId: string, requestId: string}} change
 * @returns {string} the last one yields `{role, changed}` of that account, or no row when it is gone
 */
export function promoteStatements({ id, isVerified }, { email, at, eventId, requestId }) {
  const isUser = `id = ${quote(id)} and email_key = ${keyOf(email)}`;
  const event = quote(eventId);
  const consumers = JSON.stringify(
    CONSUMERS.map(({ name, delaySeconds }) => ({ name, notBefore: at + delaySeconds * 1000 })),
  );
  return [
    `update users set role = 'admin', token_epoch = token_epoch + 1, version = version + 1, last_change_id = ${event},
       updated_at = ${at} where ${isUser} and is_email_verified = ${Number(isVerified)} and role <> 'admin'`,
    `insert into outbox_events (id, type, source, subject, schema_version, data, committed_at)
       select ${event}, 'user.updated', '/meridian/users', id, 1, json_object('userId', id, 'email', email), ${at}
       from users where ${isUser} and last_change_id = ${event}`,
    // No message is sent from here: the sweep finds the deliveries when they are due.
    `insert into event_deliveries (event_id, consumer, state, attempts, not_before, due_at)
       select e.id, c.consumer, 'pending', 0, c.not_before, c.not_before from outbox_events e join (
         select value ->> 'name' as consumer, value ->> 'notBefore' as not_before from json_each(${quote(consumers)})
         union select consumer, ${at} from event_subscriptions where type in ('user.updated', '*')
       ) c where e.id = ${event}`,
    `insert into audit_log (at, actor, action, subject, details, request_id)
       select ${at}, 'system:admin-script', 'user.change_role', 'user:' || id, '{"role":"admin"}', ${quote(requestId)}
       from users where ${isUser} and last_change_id = ${event}`,
    `select role, last_change_id = ${event} as changed from users where ${isUser}`,
  ].join(";\n");
}

/** As the users service makes `email_key`. */
function keyOf(email) {
  return quote(email.toLowerCase());
}

/** An SQL string literal: SQLite knows no escape but the doubled quote. */
function quote(value) {
  return `'${value.replaceAll("'", "''")}'`;
}
