from accounts.models.activity import AuditEntry
from accounts.models.tenants import Invitation, Membership, Tenant
from accounts.models.users import StaffMember, User

__all__ = ["AuditEntry", "Invitation", "Membership", "StaffMember", "Tenant", "User"]
