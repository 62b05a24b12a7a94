"""Who the dashboard answers: methods, hosts, sites, tokens; and what it sends along."""

from __future__ import annotations

from pathlib import Path

import pytest
from dashboard_helpers import MadeSession, ask

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.errors import ConfigError
from logos.observe.dashboard.access import (
    COOKIE_S,
    TOKEN,
    TOKEN_CHARACTERS_MIN,
    Access,
    check_listening,
    read_token,
)
from logos.observe.dashboard.app import Dashboard
from logos.observe.serving import Certificate

SECRET = "0123456789abcdef-of-the-desk"
DATA_PATHS = (
    "/api/sessions",
    "/api/sessions/made",
    "/api/sessions/made/orders",
    "/api/sessions/made/log",
    "/api/sessions/made/stream?at=0@",
    "/comparison?id=made&id=made",
    "/api/sessions/made/statistics",
    "/report/made",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = MadeSession(tmp_path)
    (made.folder / "report.html").write_text("<!doctype html><title>report</title>")
    return tmp_path


def dashboard(home: Path, token: str = "", **words: object) -> Dashboard:
    return Dashboard(home, Access(Secret(token) if token else None, **words))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO"]
)
@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", *DATA_PATHS])
def test_get_is_the_only_method(home: Path, method: str, path: str) -> None:
    answer = ask(dashboard(home), path, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("localhost:9465", True),
        ("127.0.0.1", True),
        ("[::1]:9465", True),
        ("desk.example", True),
        ("DESK.example:1", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("192.0.2.1", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_foreign_host_is_refused(home: Path, host: str, is_answered: bool) -> None:
    served = dashboard(home, names=["Desk.example"])
    for path in ("/", "/api/sessions"):
        assert ask(served, path, host=host).status == (200 if is_answered else 421)


def test_with_a_token_a_plain_address_may_be_named_and_no_name_of_others(home: Path) -> None:
    served = dashboard(home, SECRET)
    good = {"authorization": f"Bearer {SECRET}"}
    assert ask(served, "/api/sessions", host="192.0.2.1:9465", **good).status == 200
    assert ask(served, "/api/sessions", host="evil.example", **good).status == 421


@pytest.mark.parametrize("path", DATA_PATHS)
def test_what_holds_figures_is_behind_the_token(home: Path, path: str) -> None:
    served = dashboard(home, SECRET)
    for given in ("", "Bearer", "Bearer x", f"Bearer {SECRET}x", f"Basic {SECRET}", SECRET):
        assert ask(served, path, authorization=given).status == 401
    assert ask(served, path, cookie=f"logos_dashboard={SECRET}").status == 401
    if "stream" not in path:  # it does not end
        assert ask(served, path, authorization=f"bearer {SECRET}").status in (200, 404, 409)


def test_what_does_not_exist_is_behind_the_token_too(home: Path) -> None:
    assert ask(dashboard(home, SECRET), "/api/anything").status == 401
    assert ask(dashboard(home), "/api/anything").status == 404


def test_the_token_is_exchanged_for_a_cookie_that_says_nothing_of_it(home: Path) -> None:
    served = dashboard(home, SECRET)
    assert ask(served, "/login").status == 401
    assert ask(served, "/login", authorization="Bearer wrong").status == 401
    answer = ask(served, "/login", authorization=f"Bearer {SECRET}")
    cookie = answer.headers["set-cookie"]
    name_and_value, *attributes = cookie.split("; ")
    assert {"HttpOnly", "Path=/", "SameSite=strict", f"Max-Age={COOKIE_S}"} <= set(attributes)
    assert SECRET not in cookie
    assert ask(served, "/api/sessions", cookie=name_and_value).status == 200
    assert ask(served, "/login", cookie=name_and_value).status == 200
    two = f"logos_dashboard=old; other=1; {name_and_value}"
    assert ask(served, "/api/sessions", cookie=two).status == 200


def test_a_cookie_outlives_the_dashboard_and_ends_with_its_time_and_its_token(home: Path) -> None:
    now = [1_800_000_000.0]
    cookie = Access(Secret(SECRET), clock=lambda: now[0]).new_cookie()
    other_process = Access(Secret(SECRET), clock=lambda: now[0])
    assert other_process.allows("", [cookie])
    now[0] += COOKIE_S - 1
    assert other_process.allows("", [cookie])
    assert not Access(Secret(SECRET + "2"), clock=lambda: now[0]).allows("", [cookie])
    until, _, code = cookie.partition(".")
    for forged in (f"{int(until) + 1}.{code}", f"{until}.", until, "", "x.y", f"{'9' * 30}.{code}"):
        assert not other_process.allows("", [forged])
    now[0] += 2
    assert not other_process.allows("", [cookie])


def test_under_tls_the_cookie_is_for_tls_alone(home: Path) -> None:
    served = dashboard(home, SECRET)
    served.is_tls = True
    answer = ask(served, "/login", authorization=f"Bearer {SECRET}")
    assert "Secure" in answer.headers["set-cookie"].split("; ")


@pytest.mark.parametrize(
    ("site", "mode", "path", "status"),
    [
        ("cross-site", "cors", "/api/sessions", 403),
        ("same-site", "cors", "/api/sessions", 403),
        ("cross-site", "no-cors", "/app.js", 403),
        ("cross-site", "navigate", "/report/made", 403),
        ("cross-site", "navigate", "/", 200),
        ("same-origin", "cors", "/api/sessions", 200),
        ("none", "navigate", "/report/made", 200),
    ],
)
def test_a_page_of_another_site_gets_nothing(
    home: Path, site: str, mode: str, path: str, status: int
) -> None:
    answer = ask(dashboard(home), path, sec_fetch_site=site, sec_fetch_mode=mode)
    assert answer.status == status


def test_every_answer_forbids_guessing_framing_and_keeping(home: Path) -> None:
    served = dashboard(home)
    for path in ("/", "/app.js", "/api/sessions", "/nowhere", "/report/made"):
        headers = ask(served, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
    policy = ask(served, "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


def test_a_report_is_served_in_a_sandbox_that_can_load_nothing(home: Path) -> None:
    policy = ask(dashboard(home), "/report/made").headers["content-security-policy"]
    directives = dict(each.partition(" ")[::2] for each in policy.split("; "))
    assert directives["sandbox"] == "allow-scripts"
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'self'"
    assert "connect-src" not in directives


def test_a_short_token_is_refused_and_none_is_none() -> None:
    def environment(**variables: str) -> Environment:
        return Environment(variables, {}, Path(".env"))

    assert read_token(environment()) is None
    token = read_token(environment(**{TOKEN: SECRET}))
    assert token is not None
    assert token.reveal() == SECRET
    with pytest.raises(ConfigError, match=f"has {TOKEN_CHARACTERS_MIN - 1} characters") as caught:
        read_token(environment(**{TOKEN: SECRET[: TOKEN_CHARACTERS_MIN - 1]}))
    assert SECRET[: TOKEN_CHARACTERS_MIN - 1] not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "access", "has_tls", "is_plain", "problem"),
    [
        ("127.0.0.1", Access(), False, False, ""),
        ("::1", Access(Secret(SECRET)), False, False, ""),
        ("0.0.0.0", Access(), True, False, f"set {TOKEN}"),
        ("192.0.2.1", Access(Secret(SECRET)), False, False, "give --tls-cert and --tls-key"),
        ("192.0.2.1", Access(Secret(SECRET)), True, False, ""),
        ("192.0.2.1", Access(Secret(SECRET)), False, True, ""),
    ],
)
def test_other_machines_need_a_token_and_tls(
    host: str, access: Access, has_tls: bool, is_plain: bool, problem: str
) -> None:
    certificate = Certificate(Path("c"), Path("k")) if has_tls else None
    if not problem:
        check_listening(host, access, certificate, is_plain=is_plain)
        return
    with pytest.raises(ConfigError, match=problem):
        check_listening(host, access, certificate, is_plain=is_plain)
