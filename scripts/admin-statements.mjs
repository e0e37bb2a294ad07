/** What a change of role from outside the Worker writes: the same rows as the users service, in one batch. */

/** The consumers of `user.updated`, as `gateway/consumers/registry.ts` names them, and how long each wants it to rest. */
export const CONSUMERS = [{ name: "cache-refresh", delaySeconds: 30 }];

/**
 * @param {{email: string, at: number, eventId: string, requestId: string}} change
 * @returns {string} statements; the last yields `{id, changed}` of the user, or no row when nobody has the address
 */
export function promoteStatements({ email, at, eventId, requestId }) {
  const key = quote(email.toLowerCase());
  const event = quote(eventId);
  const consumers = JSON.stringify(
    CONSUMERS.map(({ name, delaySeconds }) => ({ name, notBefore: at + delaySeconds * 1000 })),
  );
  return [
    `update users set role = 'admin', token_epoch = token_epoch + 1, version = version + 1, last_event_id = ${event},
       updated_at = ${at} where email_key = ${key} and role <> 'admin'`,
    `insert into outbox_events (id, type, source, subject, schema_version, data, committed_at)
       select ${event}, 'user.updated', '/meridian/users', id, 1, json_object('userId', id, 'email', email), ${at}
       from users where email_key = ${key} and last_event_id = ${event}`,
    // No message is sent from here: the sweep finds the deliveries when they are due.
    `insert into event_deliveries (event_id, consumer, state, attempts, not_before, due_at)
       select e.id, c.consumer, 'pending', 0, c.not_before, c.not_before from outbox_events e join (
         select value ->> 'name' as consumer, value ->> 'notBefore' as not_before from json_each(${quote(consumers)})
         union select consumer, ${at} from event_subscriptions where type in ('user.updated', '*')
       ) c where e.id = ${event}`,
    `insert into audit_log (at, actor, action, subject, details, request_id)
       select ${at}, 'system:admin-script', 'user.change_role', 'user:' || id, '{"role":"admin"}', ${quote(requestId)}
       from users where email_key = ${key} and last_event_id = ${event}`,
    `select id, last_event_id = ${event} as changed from users where email_key = ${key}`,
  ].join(";\n");
}

/** An SQL string literal: SQLite knows no escape but the doubled quote. */
function quote(value) {
  return `'${value.replaceAll("'", "''")}'`;
}
