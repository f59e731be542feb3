"""Many tickets by SQL: the same mix at any size, as large as ``bench.tickets`` asks for.

A quarter of the tickets is open, three of five of these wait for an answer. Every customer has 2,000 tickets, 华辰科技
of the demo is one of them. Each ticket has its customer's first message and its first clock, every fourth an answer,
each open one the first lines of its timeline; every 400th has a longer conversation.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import product
from typing import Any

from django.db import models
from django.db.models.fields import NOT_PROVIDED

from core import search
from tickets.models import Clock, Ticket, TicketEvent, TicketMessage

TICKETS_OF_A_TENANT = 2000
SPREAD = timedelta(days=365)
PRODUCTS = (
    "云主机", "对象存储", "弹性负载均衡", "关系数据库", "内容分发", "虚拟私有云", "容器引擎", "分布式缓存",
    "消息队列", "云防火墙", "日志服务", "域名解析", "证书管理", "云监控", "弹性文件服务", "函数计算",
    "数据传输", "物理机", "云硬盘", "备案",
)  # fmt: skip
SYMPTOMS = (
    "无法连接", "登录失败", "证书过期", "控制台报错 Error 42", "响应缓慢", "权限不足", "扩容失败", "数据同步延迟",
    "账单疑问", "备份恢复", "小程序访问异常", "带宽跑满", "磁盘只读", "迁移咨询", "主从切换", "域名未生效",
    "监控告警误报", "镜像启动失败", "快照无法创建", "连接数超限",
)  # fmt: skip
_DETAILS = (
    "今天上午开始出现，重启之后仍然存在，影响线上业务，请尽快协助排查。",
    "实例 vm-8f31c2 所在可用区为华东一区，报错截图见附件，期间没有做过变更。",
    "测试环境可以复现，生产环境偶发，请确认是否与昨晚的升级有关。",
    "请问应当如何配置，文档里没有找到说明，服务器系统为 CentOS 7。",
)
# Foreign keys are checked and indexes built once at the end, not for each of millions of rows.
_LATER = """
SET maintenance_work_mem = '256MB';
CREATE TEMP TABLE later AS
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS away,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS back
  FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'tickets\\_%'
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
  FROM pg_index WHERE NOT indisunique AND indrelid::regclass::text LIKE 'tickets\\_%';
DO $$ DECLARE put record; BEGIN FOR put IN SELECT away FROM later LOOP EXECUTE put.away; END LOOP; END $$;
"""
_AFTERWARDS = """
DO $$ DECLARE put record; BEGIN FOR put IN SELECT back FROM later LOOP EXECUTE put.back; END LOOP; END $$;
DROP TABLE later;
"""


def filling(tickets: int) -> str:
    """Return the SQL that adds ``tickets`` tickets with what belongs to them. A multiple of 2,000."""
    tenants = tickets // TICKETS_OF_A_TENANT
    return "\n".join([
        _LATER,
        _said(),
        f"""
        INSERT INTO accounts_tenant (public_id, name, contact_name, contact_phone, is_active, created_at)
        SELECT gen_random_uuid(), '样本客户 ' || n, '', '', true, now() FROM generate_series(2, {tenants}) AS n;
        CREATE TEMP TABLE owner AS
        SELECT (row_number() OVER (ORDER BY name <> '华辰科技', id) - 1)::int AS place, id, name FROM accounts_tenant
        WHERE name = '华辰科技' OR name LIKE '样本客户 %';
        CREATE TEMP TABLE drawn AS
        SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')) AS id, drawn.*,
               to_char(at, 'YYMMDDHH24MISS') || lpad((n % 10000)::text, 4, '0') AS number,
               CASE WHEN is_waiting THEN now() + ((n::bigint * 7919) % 7200 - 600) * interval '1 second' END AS due_at,
               (CASE WHEN plan = 'standard' THEN 30 ELSE 10 END) * (CASE WHEN severity = 'urgent' THEN 1 ELSE 2 END)
                 AS minutes
        FROM (
          SELECT n, owner.id AS tenant_id, owner.name AS tenant_name, said.title, said.title_vector, said.body,
                 said.body_vector,
                 now() - ({tickets} - n) * interval '{SPREAD.total_seconds() / tickets:.4f} seconds' - interval '1 hour'
                   AS at,
                 n % 4 = 0 AS is_open, n % 4 = 0 AND (n / 4) % 5 < 3 AS is_waiting,
                 (ARRAY['standard', 'lite', 'business', 'enterprise'])[1 + (n / 4) % 4] AS plan,
                 (ARRAY[9, 3, 2, 1])[1 + (n / 4) % 4] AS priority,
                 CASE WHEN (n / 16) % 3 = 0 THEN 'urgent' ELSE 'general' END AS severity,
                 CASE WHEN n % 40 = 0 THEN agent.id END AS assignee_id
          FROM generate_series(1, {tickets}) AS n
          JOIN said ON said.place = n % {len(PRODUCTS) * len(SYMPTOMS)}
          JOIN owner ON owner.place = (n / 8) % {tenants}
          CROSS JOIN (SELECT id FROM accounts_staffmember WHERE display_name = '陈工') AS agent
        ) AS drawn;
        """,
        _insert(
            Ticket,
            id="id", tenant_id="tenant_id", number="number", kind="'technical'", severity="severity", title="title",
            state="CASE WHEN is_waiting THEN 'new' WHEN NOT is_open THEN 'closed' WHEN n % 3 = 0 THEN 'waiting' "
            "ELSE 'processing' END",
            desk="CASE WHEN plan = 'standard' THEN 'standard' ELSE 'vip' END", assignee_id="assignee_id",
            plan_code="plan", restore_priority="priority",
            queue_rank="900 + (CASE WHEN severity = 'urgent' THEN 0 ELSE 10 END) + priority", due_at="due_at",
            created_at="at", last_message_at="at", last_author="'李明'", actor_name="'李明'",
            first_response_at="CASE WHEN NOT is_waiting THEN at + interval '6 minutes' END",
            resolved_at="CASE WHEN NOT is_open THEN at + interval '2 hours' END",
            closed_at="CASE WHEN NOT is_open THEN at + interval '3 hours' END",
            search="format('''%s'':1', number)::tsvector || title_vector",
        ),
        _insert(
            TicketMessage,
            tenant_id="tenant_id", ticket_id="id", body="body", created_at="at", actor_name="'李明'",
            search="body_vector",
        ),
        _insert(
            TicketMessage,
            "n % 4 = 1", tenant_id="tenant_id", ticket_id="id", body="'您好，' || body", is_staff="true",
            created_at="at + interval '6 minutes'", actor_name="'陈工'", actor_title="'VIP 专席'", search="body_vector",
        ),
        _insert(
            TicketMessage,
            "n % 400 = 0", join="generate_series(1, 5) AS turn", tenant_id="tenant_id", ticket_id="id", body="body",
            is_staff="turn % 2 = 1", created_at="at + turn * interval '9 minutes'",
            actor_name="CASE WHEN turn % 2 = 1 THEN '陈工' ELSE '李明' END", search="body_vector",
        ),
        _insert(
            TicketEvent,
            "is_open", join="(VALUES ('submitted'), ('routed')) AS line (kind)", tenant_id="tenant_id", ticket_id="id",
            kind="line.kind", created_at="at", actor_name="'李明'",
            details="jsonb_build_object('plan', plan, 'desk', CASE WHEN plan = 'standard' THEN 'standard' ELSE 'vip' "
            "END, 'severity', severity, 'minutes', minutes, 'promised', true)",
        ),
        _insert(
            Clock,
            tenant_id="tenant_id", ticket_id="id", kind="'first'", plan_code="plan", severity="severity",
            stage_percents="ARRAY[50, 80, 100, 200]",
            stage_instants="ARRAY(SELECT coalesce(due_at - minutes * interval '1 minute', at) + minutes * stage "
            "* interval '1 minute' FROM unnest(ARRAY[0.5, 0.8, 1, 2]) AS stage)",
            promised="n % 50 > 0", target_minutes="minutes",
            started_at="coalesce(due_at - minutes * interval '1 minute', at)",
            due_at="coalesce(due_at, at + minutes * interval '1 minute')",
            stopped_at="CASE WHEN NOT is_waiting THEN at + minutes * (n % 97) / 90.0 * interval '1 minute' END",
            outcome="CASE WHEN NOT is_waiting THEN 'answered' ELSE '' END",
            answered_by_id="CASE WHEN NOT is_waiting THEN (SELECT id FROM accounts_staffmember "
            "WHERE display_name = '陈工') END",
        ),
        "DROP TABLE drawn; DROP TABLE owner; DROP TABLE said;",
            _AFTERWARDS,
    ])  # fmt: skip


def _said() -> str:
    """Return the SQL of the texts with their search vectors, which Python makes."""
    rows = []
    for place, (thing, symptom) in enumerate(product(PRODUCTS, SYMPTOMS)):
        title = f"{thing}{symptom}"
        body = f"{title}。{_DETAILS[place % len(_DETAILS)]}"
        # Behind the number, which is the vector's first token.
        vectors = search.vector(title), search.vector(body)
        texts = ", ".join(_text(text) for text in (title, vectors[0], body, vectors[1]))
        rows.append(f"({place}, {texts})")
    return (
        "CREATE TEMP TABLE said AS SELECT place, title, title_vector::tsvector, body, body_vector::tsvector FROM "
        f"(VALUES {', '.join(rows)}) AS said (place, title, title_vector, body, body_vector);"
    )


def _insert(
    model: type[models.Model], only: str = "true", *, join: str = "", **columns: str
) -> str:
    """Return an INSERT of ``columns`` (SQL per column) from what was drawn; other columns get the model's defaults."""
    for field in model._meta.concrete_fields:
        if field.column in columns or field.primary_key or field.null:
            continue
        columns[field.column] = _default(field)
    source = f"drawn CROSS JOIN {join}" if join else "drawn"
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} "
        f"FROM {source} WHERE {only};"
    )


def _default(field: models.Field[Any, Any]) -> str:
    if field.default is NOT_PROVIDED:
        raise LookupError(f"{field} has no default: say what the benchmark's rows hold")
    value = field.get_default()
    return str(value).lower() if isinstance(value, bool | int) else _text(_plain(value))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
