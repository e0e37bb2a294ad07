/** The HTML pages. Routes load them with `import()`, so they are read by the first call that shows one. */
export { FRONT_PAGE, frontPage } from "./front-page";
export { resetPasswordPage, verifyEmailPage } from "./mail-pages";
export { problemPage } from "./problem-page";
