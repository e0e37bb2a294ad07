/** Marked values for every place that takes one, to be looked for where they must not appear. */
export const PLANTED = {
  name: "Planted Name Xq7",
  email: "planted.person.xq7@secret.example",
  password: "planted password xq7 is long",
  otherPassword: "planted other xq7 password",
  oneTimeToken: "plantedOneTimeToken-xq7",
  refreshToken: "plantedRefreshToken-xq7",
  accessToken: "plantedAccessToken-xq7",
  idempotencyKey: "planted-idempotency-key-xq7",
  query: "plantedQueryXq7",
  bio: "planted bio xq7",
  address: "2001:db8:feed:beef::7",
  userAgent: "PlantedAgent/7.7 (xq7)",
  webhookPath: "planted-hook-xq7",
} as const;
