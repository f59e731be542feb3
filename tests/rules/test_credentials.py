"""What looks like a secret, and what only talks about one."""

import pytest

from tickets.credentials import SecretKind, secrets_in

# Put together here, so that no scanner of repositories takes them for real ones.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
ALIYUN = "LTAI" + "4GabcdEFGHijklMNOPqrst"
TENCENT = "AKID" + "z8krbsJ5yKBZQpn74WFkmLPx3"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE", SecretKind.PRIVATE_KEY),
        ("-----BEGIN " + "PRIVATE KEY-----", SecretKind.PRIVATE_KEY),
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----", SecretKind.PRIVATE_KEY),
        (f"调用时用的是 {AWS}，报 403", SecretKind.ACCESS_KEY),
        (f"accessKeyId={ALIYUN}", SecretKind.ACCESS_KEY),
        (f"{TENCENT} 无权限", SecretKind.ACCESS_KEY),
        ("AK：9f8e7d6c5b4a39281706f5e4d3c2b1a0", SecretKind.ACCESS_KEY),
        ("sk = 'b1946ac92492d2347c6235b4d2611184'", SecretKind.ACCESS_KEY),
        ("secret_access_key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SecretKind.ACCESS_KEY),
        ("访问密钥是 c3499c2729730a7f807efb8676a92dcb", SecretKind.ACCESS_KEY),
        ("ghp_" + "a1B2" * 9, SecretKind.TOKEN),
        ("Authorization: Bearer abcdef0123456789abcdef0123", SecretKind.TOKEN),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", SecretKind.TOKEN),
        ("密码：Abc@12345", SecretKind.PASSWORD),
        ("root 密码是 Qwer!234", SecretKind.PASSWORD),
        ("password=hunter2hunter2", SecretKind.PASSWORD),
        ("mysql://app:s3cr3tpw@10.0.0.5:3306/orders", SecretKind.PASSWORD),
    ],
)
def test_looks_like_a_secret(text, kind):
    assert secrets_in("标题", text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "忘记密码，如何重置密码？",
        "密码：******",
        "password: <your password>",
        "password=${DB_PASSWORD}",
        "密码错误 3 次后被锁定",
        "AK/SK 鉴权失败，返回 401",
        "task = 9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "请求 ID 9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "实例 ecs-7f2c19 无法连接 https://console.example/ecs?id=1",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "sk：未提供",
    ],
)
def test_only_talks_about_one(text):
    assert secrets_in(text) == []


def test_says_the_kinds_once_each_and_never_the_value():
    found = secrets_in(f"密码：Abc@12345 密码：Xyz@67890 {AWS}")
    assert found == [SecretKind.ACCESS_KEY, SecretKind.PASSWORD]
    assert not any("Abc" in str(kind.label) for kind in found)
