/** Keys for tests alone: never deployed, and worth nothing anywhere else. */
export const TEST_SECRETS = {
  JWT_SIGNING_KEYS: JSON.stringify({
    keys: [
      {
        kty: "EC",
        crv: "P-256",
        kid: "test-1",
        x: "tEtkkbrm5EWmQnwVYAhQVpgUyq3r8R2U5pggoFg8nOI",
        y: "WVZynsq0caJsBOrs4nQtQlvUrDIVpoJ7dTqeCgJMqBY",
        d: "-6Cb8MNxq0TLFv3eyhi18wSqm2TkTx4EKP8lJp2gs7o",
      },
    ],
  }),
  METRICS_TOKEN: "metrics-token-for-tests",
  EVENTS_TOKEN: "events-token-for-tests",
  DATA_KEY: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
};
