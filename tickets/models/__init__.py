from tickets.models.clocks import Clock, ClockEvent, ClockStage
from tickets.models.conversations import Attachment, TicketMessage, TicketNote
from tickets.models.ratings import Rating
from tickets.models.tickets import Ticket, TicketCategory, TicketEvent

__all__ = [
    "Attachment",
    "Clock",
    "ClockEvent",
    "ClockStage",
    "Rating",
    "Ticket",
    "TicketCategory",
    "TicketEvent",
    "TicketMessage",
    "TicketNote",
]
