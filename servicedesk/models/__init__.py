from servicedesk.models.deliverables import Deliverable, ServiceOrderRating
from servicedesk.models.service_orders import ServiceOrder, ServiceOrderEvent

__all__ = ["Deliverable", "ServiceOrder", "ServiceOrderEvent", "ServiceOrderRating"]
