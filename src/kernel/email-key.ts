/** What makes two e-mail addresses equal: the whole address, in any case. */
export function emailKey(email: string): string {
  return email.toLowerCase();
}
