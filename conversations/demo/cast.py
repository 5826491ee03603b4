"""Fernhaven Workspaces, the invented company of the demo: its sales agents, their stages and its campaigns."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "desks": "67c1a40e5b2f8d1399a0e101",
    "offices": "67c1a40e5b2f8d1399a0e102",
    "events": "67c1a40e5b2f8d1399a0e103",
    "address": "67c1a40e5b2f8d1399a0e104",
    "winback": "67c1a40e5b2f8d1399a0e105",
}

AGENT_NAMES: dict[str, str] = {
    AGENTS["desks"]: "Nora · Desks & memberships",
    AGENTS["offices"]: "Felix · Private offices",
    AGENTS["events"]: "Maya · Meetings & events",
    AGENTS["address"]: "Otto · Business address",
    AGENTS["winback"]: "Iris · Former members",
}

STAGE_NAMES: dict[str, list[str]] = {
    AGENTS["desks"]: ["Greeting", "Needs", "Place & plan", "Price", "Tour", "Sign-up"],
    AGENTS["offices"]: ["First contact", "Team & timing", "Budget & term", "Viewing", "Proposal", "Decision"],
    AGENTS["events"]: ["Enquiry", "Date & headcount", "Set-up & catering", "Quote", "Deposit"],
    AGENTS["address"]: ["Greeting", "Use of the address", "Plan", "Documents", "Activation"],
    AGENTS["winback"]: ["Reconnect", "Why they left", "Offer", "Objections", "Restart"],
}

CAMPAIGNS: dict[str, list[tuple[str, str]]] = {
    "desks": [("67d20b91c47e3a0f58d3b201", "Free day pass"), ("67d20b91c47e3a0f58d3b202", "Website form, memberships")],
    "offices": [("67d20b91c47e3a0f58d3b203", "Offices ready this quarter"), ("67d20b91c47e3a0f58d3b204", "Brokers")],
    "events": [
        ("67d20b91c47e3a0f58d3b205", "Meeting rooms by the hour"),
        ("67d20b91c47e3a0f58d3b206", "Team away days"),
    ],
    "address": [("67d20b91c47e3a0f58d3b207", "New companies")],
    "winback": [("67d20b91c47e3a0f58d3b208", "We miss you"), ("67d20b91c47e3a0f58d3b209", "Ended trials")],
}

CAMPAIGN_NAMES: dict[str, str] = {key: name for campaigns in CAMPAIGNS.values() for key, name in campaigns}

CITY_COUNTRIES: dict[str, str] = {
    **dict.fromkeys(("London", "Manchester", "Bristol", "Leeds", "Edinburgh"), "uk"),
    **dict.fromkeys(("Chicago", "Austin", "New York", "Seattle", "Boston", "San Francisco", "Denver"), "us"),
    **dict.fromkeys(("Melbourne", "Sydney"), "au"),
    "Dublin": "ie",
}
