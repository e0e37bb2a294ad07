/**
 * zod, as the whole Worker uses it: the form whose checks are functions, so that what no schema names is left out of the
 * bundle. `import * as z from` here, never from zod itself: this module also gives its issues their English sentences.
 */
import { config } from "zod/mini";
import { en } from "zod/v4/locales";

config(en());

export * from "zod/mini";

/**
 * What a browser accepts in an e-mail field. When one of zod's own patterns is asked for, all of them come.
 * Source: HTML, section 4.10.5.1.5.
 */
export const HTML_EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** Labels of letters, digits and inner hyphens, 253 characters in all. Source: RFC 1123, section 2.1. */
export const HOST_NAME =
  /^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$/;
