"""Who sends webhooks, and where they say what happened: the table that `headline` reads.

A row is added by its sender's documentation. `marks` tell the sender: any one of those that are header fields, or else
all of the fields of the body. Where something stands is written `x-event` for a header field, `.a.b` for a path into
the JSON body (`.0` is the first of a list) and `=a` for a field of a form; `|` parts places of which the first counts
that has something.
"""

from __future__ import annotations

from msgspec import Struct


class Sender(Struct, frozen=True):
    """Who sends, how that is told, what happened (each place adds a word), and to what."""

    name: str
    marks: tuple[str, ...]
    what: tuple[str, ...] = ()
    about: str = ""


SENDERS = (
    Sender("CORS preflight", ("access-control-request-method",), ("access-control-request-method",), "origin"),
    Sender(
        "Gitea",
        ("x-gitea-event", "x-forgejo-event"),
        ("x-gitea-event|x-forgejo-event", ".action"),
        ".repository.full_name",
    ),
    Sender("GitHub", ("x-github-event",), ("x-github-event", ".action"), ".repository.full_name|.organization.login"),
    Sender(
        "GitLab",
        ("x-gitlab-event",),
        (".object_kind|.event_name|x-gitlab-event", ".object_attributes.action"),
        ".project.path_with_namespace",
    ),
    Sender("Bitbucket", ("x-event-key",), ("x-event-key",), ".repository.full_name|.repository.name"),
    Sender("Stripe", ("stripe-signature",), (".type",), ".data.object.id|.related_object.id"),
    Sender("Shopify", ("x-shopify-topic",), ("x-shopify-topic",), "x-shopify-shop-domain"),
    Sender(
        "Slack",
        ("x-slack-signature", "x-slack-request-timestamp"),
        (".event.type|.type|=command", "=text"),
        ".event.channel|.channel.name|=channel_name|.team.domain",
    ),
    Sender("SendGrid", ("x-twilio-email-event-webhook-signature",), (".0.event",), ".0.email"),
    Sender("Twilio", ("x-twilio-signature",), ("=MessageStatus|=CallStatus|=SmsStatus|=EventType",), "=From|=To"),
    Sender("Square", ("x-square-hmacsha256-signature", "square-environment"), (".type",), ".merchant_id"),
    Sender("Zoom", ("x-zm-signature",), (".event",), ".payload.object.topic|.payload.account_id"),
    Sender("Discord", ("x-signature-ed25519",), (".event.type|.data.name",), ".guild_id|.application_id"),
    Sender("PayPal", ("paypal-transmission-id",), (".event_type",), ".resource.id"),
    Sender("Amazon SNS", ("x-amz-sns-message-type",), ("x-amz-sns-message-type",), "x-amz-sns-topic-arn"),
    Sender("Linear", ("linear-event", "linear-signature"), ("linear-event|.type", ".action"), ".data.identifier"),
    Sender("Jira", ("x-atlassian-webhook-identifier",), (".webhookEvent",), ".issue.key|.project.key"),
    Sender("Sentry", ("sentry-hook-resource",), ("sentry-hook-resource", ".action"), ".data.issue.shortId"),
    Sender("PagerDuty", ("x-pagerduty-signature",), (".event.event_type",), ".event.data.title"),
    Sender("Twitch", ("twitch-eventsub-message-type",), ("twitch-eventsub-subscription-type",)),
    Sender("WooCommerce", ("x-wc-webhook-topic",), ("x-wc-webhook-topic",), "x-wc-webhook-source"),
    Sender("HubSpot", ("x-hubspot-signature", "x-hubspot-signature-v3"), (".0.subscriptionType",), ".0.objectId"),
    Sender("Zendesk", ("x-zendesk-webhook-id",), (".type",), ".subject"),
    Sender("Typeform", ("typeform-signature",), (".event_type",), ".form_response.form_id"),
    Sender("Calendly", ("calendly-webhook-signature",), (".event",), ".payload.email"),
    Sender("Paddle", ("paddle-signature",), (".event_type",), ".data.id"),
    Sender("Lemon Squeezy", ("x-event-name",), ("x-event-name",), ".data.type"),
    Sender("Intercom", ("intercom-webhook-version",), (".topic",), ".app_id"),
    Sender("Vercel", ("x-vercel-signature",), (".type",), ".payload.project.id"),
    Sender("CircleCI", ("circleci-event-type",), ("circleci-event-type",), ".project.slug"),
    Sender("Trello", ("x-trello-webhook",), (".action.type",), ".model.name"),
    Sender("Dropbox", ("x-dropbox-signature",)),
    Sender("Telegram", ("x-telegram-bot-api-secret-token",), (), ".message.chat.title|.message.chat.username"),
    Sender("Event Grid", ("aeg-event-type",), (".0.eventType|aeg-event-type",), ".0.subject"),
    Sender("Mailgun", (".event-data", ".signature"), (".event-data.event",), ".event-data.recipient"),
    Sender("Postmark", (".RecordType", ".MessageID"), (".RecordType",), ".Recipient|.Email"),
    Sender("Adyen", (".notificationItems",), (".notificationItems.0.NotificationRequestItem.eventCode",)),
    Sender("Meta", (".object", ".entry"), (".object", ".entry.0.changes.0.field")),
    Sender("Grafana", (".alerts", ".orgId"), (".status",), ".title"),
    Sender("Alertmanager", (".alerts", ".receiver"), (".status",), ".commonLabels.alertname"),
    Sender("CloudEvents", ("ce-type",), ("ce-type",), "ce-subject|ce-source"),
    Sender("CloudEvents", (".specversion", ".type"), (".type",), ".subject|.source"),
    Sender("JSON-RPC", (".jsonrpc",), (".method",), ".params.name"),
    Sender("SOAP", ("soapaction",), ("soapaction",)),
    Sender("hookbin", ("hookbin-event-type",), ("hookbin-event-type",)),
    Sender("Svix", ("svix-id",), (".type|.eventType|.event_type",)),
    Sender("Standard Webhooks", ("webhook-id",), (".type",)),
    Sender("", (".type",), (".type",)),
    Sender("", (".event",), (".event",)),
    Sender("", (".event_type",), (".event_type",)),
    Sender("", (".eventType",), (".eventType",)),
    Sender("", (".action",), (".action",)),
)
"""The first that is told counts: who sends the marks of another too stands before that."""
