/**
 * zod, as the whole Worker uses it: the form whose checks are functions, so that what no schema names is left out of the
 * bundle. `import * as z from` here, never from zod itself: this module also gives its issues their English sentences.
 */
import { config } from "zod/mini";
import { en } from "zod/v4/locales";

config(en());

export * from "zod/mini";
