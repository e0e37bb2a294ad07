import { html } from "hono/html";
import { expect, test } from "vitest";
import { page } from "../../../src/gateway/page";

test("a page is a whole document: language, characters, title, icon, style and content", async () => {
  const text = String(await page({ title: "A", body: html`<main>content</main>` }));
  expect(text).toMatch(/^<!doctype html>\s*<html lang="en">/);
  for (const part of ['<meta charset="utf-8" />', "<title>A</title>", 'href="/site.css"', "/favicon.svg"])
    expect(text.split(part)).toHaveLength(2);
  expect(text).toMatch(/<body>\s*<main>content<\/main>\s*<\/body>\s*<\/html>$/);
});

test("a title is text, and the head takes what a page adds", async () => {
  const head = html`<meta name="robots" content="noindex" />`;
  const text = String(await page({ title: "<b>&", stylesheet: "/other.css", head, body: html`` }));
  expect(text).toContain("<title>&lt;b&gt;&amp;</title>");
  expect(text).toMatch(/<meta name="robots" content="noindex" \/>\s*<\/head>/);
  expect(text).toContain('href="/other.css"');
  expect(text).not.toContain("/site.css");
});
