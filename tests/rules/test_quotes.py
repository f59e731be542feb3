"""A mail of each program: what its writer wrote, and nothing of the mail beneath."""

import pytest

from messaging.quotes import reply_text

WROTE = "重启后还是不行，\n请继续看一下。"
ORIGINAL = "您好，请重启后再试。\n如仍有问题请回复。"

MAILS = {
    "Outlook 中文": f"{WROTE}\n\n发件人: 天翼云 <support@portal.example>\n发送时间: 2026年11月24日 10:02\n收件人: 李明 <li@huachen.example>\n主题: 工单有新的回复\n\n{ORIGINAL}",
    "Outlook 中文 星号": f"{WROTE}\n\n*发件人:* 天翼云\n*发送时间:* 2026年11月24日\n*收件人:* 李明\n*主题:* 工单\n\n{ORIGINAL}",
    "Outlook English": f"{WROTE}\n\n-----Original Message-----\nFrom: CTyun <support@portal.example>\nSent: Tuesday, November 24, 2026 10:02 AM\nTo: Li\nSubject: Ticket\n\n{ORIGINAL}",
    "Outlook English without a ruler": f"{WROTE}\n\nFrom: CTyun <support@portal.example>\nSent: Tuesday, November 24, 2026 10:02 AM\nTo: Li\nSubject: Ticket\n\n{ORIGINAL}",
    "Outlook mobile": f"{WROTE}\n\nGet Outlook for iOS\n________________________________\nFrom: CTyun\nSent: Tuesday\nTo: Li\nSubject: x\n\n{ORIGINAL}",
    "Gmail English": f"{WROTE}\n\nOn Tue, Nov 24, 2026 at 10:02 AM CTyun <support@portal.example> wrote:\n\n> {ORIGINAL}",
    "Gmail English in two lines": f"{WROTE}\n\nOn Tue, Nov 24, 2026 at 10:02 AM CTyun support <\nreply+abc@portal.example> wrote:\n\n> 您好",
    "Gmail 中文": f"{WROTE}\n\n天翼云 <support@portal.example> 于2026年11月24日周二 10:02写道：\n\n> 您好",
    "QQ 邮箱": f'{WROTE}\n\n\n------------------ 原始邮件 ------------------\n发件人: "天翼云" <support@portal.example>;\n发送时间: 2026年11月24日(星期二) 上午10:02\n收件人: "李明"\n主题: 工单\n\n{ORIGINAL}',
    "QQ 邮箱 新版": f'{WROTE}\n\n---原始邮件---\n发件人: "天翼云"\n发送时间: 2026年11月24日\n\n{ORIGINAL}',
    "163": f'{WROTE}\n\n\n\n在 2026-11-24 10:02:11，"天翼云" <support@portal.example> 写道：\n\n{ORIGINAL}',
    "163 English": f'{WROTE}\n\nAt 2026-11-24 10:02:11, "CTyun" <support@portal.example> wrote:\n\n{ORIGINAL}',
    "网易邮箱大师": f"{WROTE}\n\n---- 回复的原邮件 ----\n| 发件人 | 天翼云<support@portal.example> |\n| 日期 | 2026年11月24日 10:02 |\n| 收件人 | 李明 |\n| 主题 | 工单 |\n{ORIGINAL}",
    "Foxmail": f"{WROTE}\n\n发件人： 天翼云\n发送时间： 2026-11-24 10:02\n收件人： 李明\n主题： 工单\n{ORIGINAL}",
    "Apple Mail 中文": f"{WROTE}\n\n发自我的iPhone\n\n> 在 2026年11月24日，上午10:02，天翼云 <support@portal.example> 写道：\n> \n> 您好",
    "Apple Mail 中文 无前缀": f"{WROTE}\n\n2026年11月24日 上午10:02，天翼云 <support@portal.example> 写道：\n\n{ORIGINAL}",
    "with a signature": f"{WROTE}\n\n-- \n李明\n华辰科技\n",
    "Windows line ends": f"{WROTE}\r\n\r\nFrom: x\r\nSent: y\r\nTo: z\r\nSubject: w\r\n\r\n您好".replace(
        "\r\n", "\n"
    ).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("program", MAILS)
def test_what_was_written(program):
    assert reply_text(MAILS[program]) == WROTE


@pytest.mark.parametrize(
    "text",
    [
        "发件人: 这一栏显示为空，怎么办？",
        "日志里只有一行：\nFrom: 10.0.2.15\n之后就断了",
        "他在群里写道：先重启",
        "我们的步骤：\n1. 停服务\n2. 清缓存\n3. 启动",
        "配置如下\n---\nkey: value\n---\n请确认",
    ],
)
def test_what_only_looks_like_a_quote_stays(text):
    assert reply_text(text) == text


def test_answers_between_quoted_lines_stay():
    assert reply_text("> 实例 ID？\necs-7f2c19\n> 何时开始？\n10 点") == "ecs-7f2c19\n10 点"


def test_a_quote_alone_is_nothing():
    assert reply_text("> 您好\n> 请回复\n") == ""
