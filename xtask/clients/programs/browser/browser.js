// A browser with somebody at it who has an account: it keeps cookies, follows redirections, and knows a form by what its
// fields and buttons say of themselves.

import assert from "node:assert/strict";
import { parse } from "node-html-parser";
import { CookieJar } from "tough-cookie";

/** More pages than a flow has. */
const PAGES = 20;

/** What a button says. */
export const ALLOW = /allow|accept|authori[sz]e|continue|yes/i;
export const REFUSE = /refuse|deny|decline|cancel|no\b/i;

export class Browser {
  #cookies = new CookieJar();
  #user;

  /** @param user `email` and `password` */
  constructor(user) {
    this.#user = user;
  }

  /** Opens a page, signs in and presses the button that says `decision`, until it is led to the callback: whose URL it gives. */
  async visit(url, callback, decision) {
    let request = { url: new URL(url), method: "GET" };
    for (let page = 0; page < PAGES; page += 1) {
      const response = await this.#send(request);
      const location = response.headers.get("location");
      if (location === null) {
        request = this.#fill(request.url, response.status, await response.text(), decision);
        continue;
      }
      const target = new URL(location, request.url);
      if (location.startsWith(callback)) return target;
      request = { url: target, method: "GET" };
    }
    throw new Error(`after ${PAGES} pages still at ${request.url}`);
  }

  async #send({ url, method, body }) {
    const headers = { accept: "text/html", "accept-language": "en" };
    const cookie = await this.#cookies.getCookieString(url.href);
    if (cookie !== "") headers.cookie = cookie;
    const response = await fetch(url, { method, body, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) await this.#cookies.setCookie(cookie, url.href);
    return response;
  }

  /** The request that the form of a page makes. */
  #fill(url, status, page, decision) {
    const root = parse(page);
    assert.equal(status, 200, `${url.pathname}: ${root.querySelector("main")?.structuredText ?? page}`);
    const form = root.querySelector("form");
    assert.ok(form, `${url.pathname} has no form`);
    const fields = new URLSearchParams();
    for (const input of form.querySelectorAll("input[name]")) {
      fields.append(input.getAttribute("name"), this.#value(input));
    }
    const buttons = form.querySelectorAll("button");
    const button =
      buttons.length === 1
        ? buttons[0]
        : buttons.find((button) => decision.test(`${button.getAttribute("value")} ${button.textContent}`));
    assert.ok(button, `${url.pathname} has no button for ${decision}`);
    if (button.hasAttribute("name")) fields.append(button.getAttribute("name"), button.getAttribute("value"));
    assert.equal(form.getAttribute("method").toLowerCase(), "post");
    return { url: new URL(form.getAttribute("action") ?? "", url), method: "POST", body: fields };
  }

  #value(input) {
    if (input.getAttribute("autocomplete") === "username") return this.#user.email;
    if (input.getAttribute("autocomplete") === "current-password") return this.#user.password;
    return input.getAttribute("value") ?? "";
  }
}
