/** Refusals as problem documents, with the codes of Meridian's contract. Source: RFC 9457. */

const CODES = {
  validation_failed: [400, "The request is not valid"],
  malformed_json: [400, "The body is not valid JSON"],
  unauthenticated: [401, "Authentication is required"],
  invalid_credentials: [401, "The credentials are not valid"],
  token_expired: [401, "The token has expired"],
  forbidden: [403, "Not permitted"],
  not_found: [404, "Not found"],
  email_taken: [409, "The address is taken"],
  out_of_stock: [409, "Out of stock"],
  invalid_transition: [409, "The state does not allow this"],
  precondition_failed: [412, "The resource has changed"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "Unsupported content type"],
  rate_limited: [429, "Too many requests"],
  internal: [500, "Something went wrong on our side"],
};

/** Thrown by handlers; Express passes it to `answerProblem`, also out of a promise. */
export class Problem extends Error {
  /**
   * @param {keyof typeof CODES} code
   * @param {string} detail safe to show
   * @param {Record<string, unknown>} members extra members of the document
   */
  constructor(code, detail, members = {}) {
    super(detail);
    this.code = code;
    this.members = members;
  }
}

/** @param {import("express").Response} res */
export function sendProblem(res, { code, message, members }) {
  const [status, title] = CODES[code];
  if (status === 401) res.set("WWW-Authenticate", 'Bearer realm="meridian"');
  const { originalUrl, id } = res.req;
  const instance = originalUrl.split("?", 1)[0];
  const document = {
    type: `/problems/${code}`,
    title,
    status,
    detail: message,
    instance,
    code,
    requestId: id,
    ...members,
  };
  res
    .status(status)
    .set("Cache-Control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify(document));
}

/** The last middleware: what Express, its body parser or a handler threw. It is known by its four arguments. */
export function answerProblem(error, req, res, next) {
  if (res.headersSent) return next(error);
  const problem = problemOf(error);
  if (problem.code === "internal") req.log.error({ err: error }, "unhandled");
  sendProblem(res, problem);
}

function problemOf(error) {
  if (error instanceof Problem) return error;
  if (error.type === "entity.too.large")
    return new Problem("payload_too_large", "A body may have at most 256 KiB.");
  if (error.type === "entity.parse.failed")
    return new Problem("malformed_json", "The body is not valid JSON.");
  return new Problem("internal", "The error is logged under the request's id.");
}

/** What matches no route. */
export function answerUnrouted(_req, res) {
  sendProblem(res, new Problem("not_found", "There is nothing here that you may see."));
}

/** "Not yours" and "not there" are answered alike. */
export function notFound() {
  return new Problem("not_found", "There is nothing here that you may see.");
}
