"""A browser with somebody at it who has an account: it keeps cookies, follows redirections, and knows a form by what its
fields and buttons say of themselves."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

# More pages than a flow has.
PAGES = 20

# What a button says.
ALLOW = re.compile(r"allow|accept|authori[sz]e|continue|yes", re.IGNORECASE)
REFUSE = re.compile(r"refuse|deny|decline|cancel|no\b", re.IGNORECASE)


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, page):
        super().__init__()
        self.attributes, self.inputs, self.buttons = None, [], []
        self._is_open = self._is_button = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.attributes is None:
            self.attributes, self._is_open = attributes, True
        elif self._is_open and tag == "input" and "name" in attributes:
            self.inputs.append(attributes)
        elif self._is_open and tag == "button":
            self.buttons.append([attributes, attributes.get("value") or ""])
            self._is_button = True

    def handle_endtag(self, tag):
        self._is_open = self._is_open and tag != "form"
        self._is_button = self._is_button and tag != "button"

    def handle_data(self, data):
        if self._is_button:
            self.buttons[-1][1] += " " + data


class Browser:
    def __init__(self, email, password):
        self._session = requests.Session()
        self._session.headers.update({"Accept": "text/html", "Accept-Language": "en"})
        self._values = {"username": email, "current-password": password}

    def visit(self, url, callback, decision):
        """Opens a page, signs in and presses the button that says `decision`, until it is led to the callback: whose URL
        it gives."""
        response = self._session.get(url, allow_redirects=False)
        for _ in range(PAGES):
            location = response.headers.get("location")
            if location is None:
                response = self._submit(response, decision)
            elif location.startswith(callback):
                return location
            else:
                response = self._session.get(urljoin(response.url, location), allow_redirects=False)
        raise AssertionError(f"after {PAGES} pages still at {response.url}")

    def _submit(self, response, decision):
        form = Form(response.text)
        assert response.status_code == 200 and form.attributes is not None, (response.url, response.text)
        assert form.attributes["method"].lower() == "post"
        fields = [(input["name"], self._value(input)) for input in form.inputs]
        buttons = form.buttons if len(form.buttons) == 1 else [b for b in form.buttons if decision.search(b[1])]
        assert buttons, (response.url, f"no button for {decision.pattern}")
        button = buttons[0][0]
        if "name" in button:
            fields.append((button["name"], button["value"]))
        action = urljoin(response.url, form.attributes.get("action") or "")
        return self._session.post(action, data=fields, allow_redirects=False)

    def _value(self, input):
        return self._values.get(input.get("autocomplete"), input.get("value") or "")
