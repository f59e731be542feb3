from accounts.models.activity import AuditEntry, SweepFailure
from accounts.models.tenants import Invitation, Membership, Tenant
from accounts.models.users import StaffMember, User

__all__ = [
    "AuditEntry",
    "Invitation",
    "Membership",
    "StaffMember",
    "SweepFailure",
    "Tenant",
    "User",
]
