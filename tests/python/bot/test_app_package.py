"""The package of a bot's app: taken by Microsoft's own schema, and what Teams would refuse is named first."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import jsonschema
import pytest

from lakeflow_teams import ConfigurationError
from lakeflow_teams.bot import AppPackage, check_app_package
from lakeflow_teams.bot.app_package.icons import color_icon, outline_icon
from lakeflow_teams.cli.app import run
from support.paths import ROOT

APP = "0f1e2d3c-4b5a-4678-9abc-def012345678"
#: The package of npm that Microsoft's own tools use.
SCHEMAS = (
    ROOT / ".venv" / "app-manifest" / "node_modules" / "@microsoft" / "app-manifest" / "build" / "json-schemas" / "teams"
)
PLAIN = AppPackage(app_id=APP, name="News", website="https://example.com")
EVERYTHING = AppPackage(
    app_id=APP,
    name="News",
    website="https://example.com",
    description="What is new",
    details="What is new, at length",
    developer="Example",
    privacy="https://example.com/privacy",
    terms="https://example.com/terms",
    id="11111111-2222-4333-8444-555555555555",
    version="1.2.10",
    color="#102030",
    scopes=("personal", "team"),
    domains=("app.example.com", "*.example.org", "token.botframework.com"),
    permissions=("ChannelMessage.Read.Group", "ChatMessage.Read.Chat", "TeamsActivity.Send.User"),
    activities={"alert": "{who} reported {what}"},
    commands={"help": "What it can do", "link": "Link your account"},
)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="npm is missing: `make` installs the schemas with it")
@pytest.mark.parametrize("package", [PLAIN, EVERYTHING], ids=["plain", "everything"])
def test_microsofts_schema_takes_what_is_written(package):
    manifest = package.manifest
    folder = SCHEMAS / f"v{manifest['manifestVersion']}"
    assert manifest["$schema"].endswith(f"/{folder.name}/MicrosoftTeams.schema.json")
    schema = json.loads((folder / "MicrosoftTeams.schema.json").read_text(encoding="utf-8-sig"))
    jsonschema.Draft4Validator(schema).validate(manifest)
    # What we refuse for its length or form, the schema refuses too.
    for change in ({"name": "n" * 31}, {"description": "d" * 81}, {"app_id": "x"}, {"color": "blue"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft4Validator(schema).validate(AppPackage(**{**vars(PLAIN), **change}).manifest)


def pixels(png):
    """Width, height and rows of RGBA."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        size = struct.unpack(">2I", body[:8]) if kind == b"IHDR" else size
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, (width, height) = zlib.decompress(data), size
    lines = [raw[row * (4 * width + 1) + 1 : (row + 1) * (4 * width + 1)] for row in range(height)]
    return width, height, [tuple(line[at : at + 4]) for line in lines for at in range(0, 4 * width, 4)]


def test_icons_have_the_sizes_and_colours_that_teams_asks_for():
    width, height, colours = pixels(color_icon("#102030"))
    assert (width, height, colours[0]) == (192, 192, (0x10, 0x20, 0x30, 255))
    assert (255, 255, 255, 255) in colours
    assert all(alpha == 255 for *_, alpha in colours)
    width, height, colours = pixels(outline_icon())
    assert (width, height, colours[0]) == (32, 32, (0, 0, 0, 0))
    assert {colour[:3] for colour in colours if colour[3]} == {(255, 255, 255)}, "white on nothing"
    assert colours[14 * 32 + 16][3] == 0, "an outline"


def test_a_package_is_written_whole_or_not_and_always_alike(tmp_path):
    path = EVERYTHING.write(tmp_path / "new" / "app.zip")
    first = path.read_bytes()
    assert check_app_package(path) == []
    assert EVERYTHING.write(path).read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["bots"][0]["botId"] == manifest["webApplicationInfo"]["id"] == APP
    bad = tmp_path / "bad.zip"
    with pytest.raises(
        ConfigurationError, match="Teams would refuse the app: /developer/websiteUrl: 'http://x' is not an https"
    ):
        AppPackage(app_id=APP, name="News", website="http://x").write(bad)
    assert not bad.exists()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"manifestVersion": "1.2"}, "/manifestVersion: '1.2' is none of 1.13 to 1.30"),
        ({"$schema": "https://x/v1.20/y"}, "/$schema: https://x/v1.20/y is not that of version 1.25"),
        ({"name": {}}, "/name/short: it is missing"),
        ({"name": {"short": "n" * 31}}, "/name/short: 31 characters are more than 30"),
        ({"version": "one"}, "/version: 'one' is not a version such as 1.0.0"),
        ({"id": "news"}, "/id: 'news' is not a GUID"),
        ({"bots": []}, "/bots: there are 0, and an app has one"),
        ({"bots": [{"botId": APP, "scopes": ["groupchat"]}]}, "did you mean groupChat?"),
        ({"bots": [{"botId": APP, "scopes": ["team"], "supportsSessions": True}]}, "supportsSessions: it is on"),
        ({"supportsSessions": True}, "supportsSessions: it is on"),
        ({"validDomains": ["https://example.com"]}, "/validDomains/0: 'https://example.com' is no domain"),
        ({"validDomains": ["a.example.com"] * 17}, "/validDomains: there are 17"),
        ({"webApplicationInfo": {"id": APP.replace("0", "1")}}, "is not the bot's application"),
        ({"webApplicationInfo": None, "activities": {"activityTypes": []}}, "/webApplicationInfo: it is missing"),
        (
            {"authorization": {"permissions": {"resourceSpecific": [{"name": "User.Read.All", "type": "Application"}]}}},
            "'User.Read.All' ends in none of .Group",
        ),
        (
            {"activities": {"activityTypes": [{"type": "systemDefault", "description": "d", "templateText": "t"}]}},
            "systemDefault is Teams' own",
        ),
        ({"activities": {"activityTypes": [{"type": "a"}]}}, "/activities/activityTypes/0/templateText: a text of 1 to 128"),
    ],
)
def test_what_teams_would_refuse_is_named_with_its_place(change, line, tmp_path):
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(PLAIN.manifest | change), encoding="utf-8")
    assert any(line in problem for problem in check_app_package(file)), check_app_package(file)


def test_a_package_of_others_is_looked_through(tmp_path):
    def problems(**files):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        path = tmp_path / "app.zip"
        path.write_bytes(held.getvalue())
        return check_app_package(path)

    manifest = json.dumps(PLAIN.manifest)
    assert "app/manifest.json is in a folder" in problems(**{"app/manifest.json": manifest})[0]
    assert problems(**{"manifest.json": manifest, "color.png": color_icon("#000000")}) == [
        "/icons/outline: the package has no outline.png"
    ]
    swapped = problems(**{"manifest.json": manifest, "color.png": outline_icon(), "outline.png": b"GIF89a"})
    assert swapped == [
        "/icons/color: color.png has 32 by 32 pixels; 192 by 192 are needed",
        "/icons/outline: outline.png is no PNG",
    ]
    with pytest.raises(ConfigurationError, match="the manifest is no JSON"):
        problems(**{"manifest.json": "{"})
    with pytest.raises(ConfigurationError, match=r"none\.zip: it cannot be read"):
        check_app_package(tmp_path / "none.zip")


def test_the_command_writes_and_checks(tmp_path, capsys, monkeypatch):
    to = tmp_path / "app.zip"
    common = ["bot", "manifest", "--to", str(to), "--name", "News", "--website", "https://example.com"]
    assert run(common) == 2
    assert "--app-id is missing" in capsys.readouterr().err
    monkeypatch.setenv("AZURE_CLIENT_ID", APP)
    assert run([*common, "--activity", "alert={what}", "--command", "help=Help", "--scope", "personal"]) == 0
    assert run(["bot", "manifest", "--check", str(to)]) == 0
    assert "nothing is found" in capsys.readouterr().out
    assert run([*common, "--color", "red"]) == 2
    assert "/accentColor: 'red' is not a colour such as #4464EE" in capsys.readouterr().err
    assert run([*common, "--activity", "alert"]) == 2
    assert "'alert' is not NAME=TEXT" in capsys.readouterr().err
    with zipfile.ZipFile(to) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["activities"]["activityTypes"][0]["templateText"] == "{what}"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"version": "x"}), encoding="utf-8")
    assert run(["bot", "manifest", "--check", str(tmp_path / "manifest.json")]) == 2
