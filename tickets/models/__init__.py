from tickets.models.clocks import Clock, ClockEvent, ClockStage
from tickets.models.composing import AgentDraft, Macro
from tickets.models.conversations import Attachment, TicketMessage, TicketNote
from tickets.models.drafts import TicketDraft, TicketTemplate
from tickets.models.links import Incident, IncidentTicket, TicketLink
from tickets.models.outages import SweepOutage
from tickets.models.ratings import Rating
from tickets.models.requirements import RequirementStep, ScopeItem
from tickets.models.routing import Availability, TicketChange
from tickets.models.tags import Tag, TicketTag
from tickets.models.tickets import Ticket, TicketCategory, TicketEvent
from tickets.models.views import SavedView
from tickets.models.watchers import Watcher

__all__ = [
    "AgentDraft",
    "Attachment",
    "Availability",
    "Clock",
    "ClockEvent",
    "ClockStage",
    "Incident",
    "IncidentTicket",
    "Macro",
    "Rating",
    "RequirementStep",
    "SavedView",
    "ScopeItem",
    "SweepOutage",
    "Tag",
    "Ticket",
    "TicketCategory",
    "TicketChange",
    "TicketDraft",
    "TicketEvent",
    "TicketLink",
    "TicketMessage",
    "TicketNote",
    "TicketTag",
    "TicketTemplate",
    "Watcher",
]
