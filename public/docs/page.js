/** Starts the reference. A login that is tried here is used for the calls that follow, and so is the last bookmark. */
const scheme = window.matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", scheme.matches);
scheme.addEventListener("change", followScheme);
followScheme();

let bookmark = null;

/** The one server is the one that this page came from: there is nothing to choose. */
const withoutServers = () => ({ wrapComponents: { ServersContainer: () => () => null } });

const ui = window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  // A link inside the button that opens a call is in the way of keyboards and screen readers.
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  // Its colours are too faint.
  syntaxHighlight: false,
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [withoutServers],
  layout: "BaseLayout",
  requestInterceptor(request) {
    const { origin, pathname } = new URL(request.url, location.href);
    // What was just written here is read here.
    if (origin === location.origin && pathname.startsWith("/api/") && bookmark !== null) {
      request.headers["X-D1-Bookmark"] ??= bookmark;
    }
    return request;
  },
  responseInterceptor(response) {
    bookmark = response.headers?.["x-d1-bookmark"] ?? bookmark;
    const token = response.body?.accessToken;
    if (response.ok && typeof token === "string") ui.preauthorizeApiKey("accessToken", token);
    return response;
  },
});

/** What the library leaves unsaid to screen readers: names of its selects and fields, and the order of its headings. */
const SPOKEN = [
  ["h3.opblock-tag", { "aria-level": "2" }],
  ["h4.opblock-title, .opblock-section-header h4", { "aria-level": "3" }],
  ["h5", { "aria-level": "4" }],
  [".information-container", { role: "region", "aria-label": "About" }],
  [".scheme-container", { role: "region", "aria-label": "Authorization" }],
  ["select.examples-select-element", { "aria-label": "Example" }],
  // What scrolls must be reachable by keyboard.
  ["pre.microlight, .highlight-code > pre", { tabindex: "0" }],
  ["textarea.body-param__text", { "aria-label": "Body" }],
];

function speak() {
  for (const [selector, attributes] of SPOKEN) {
    for (const element of document.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes)) {
        if (element.getAttribute(name) !== value) element.setAttribute(name, value);
      }
    }
  }
}
new MutationObserver(speak).observe(document.querySelector("#reference"), { childList: true, subtree: true });
