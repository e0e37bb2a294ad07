/** Sign-ups on one UTC day. */
export interface SignupDay {
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly count: number;
}
