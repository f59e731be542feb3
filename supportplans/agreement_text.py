"""The service agreement, by version: the facts of the guide's 1.3 in our own words.

Each entry is version, the instant from which it holds, the Chinese text and the English text. A new text is a new
version; the old ones stay, because acceptances name them.
"""

ZH_2024 = """# 客户支持计划服务协议

## 一、服务对象与前提
1. 本计划的服务只面向已订购客户支持计划的客户，按账号提供，一份计划不能由多个账号共享；服务区域为中国大陆。
2. 您应提供开展支持工作所需的场地、设备、必要的非生产环境，以及远程访问通道、权限、相关日志和错误信息，并说明明确的业务目标（如峰值、并发量）。
3. 您应指定技术接口人和运维团队成员（“授权员工”）。团队成员可以是您的员工，也可以是经授权函、账号代维等方式正式授权的第三方；授权员工的行为视为您的行为，对您具有法律效力。
4. 您自行负责自身业务与系统的运维工作，并在问题说明、信息收集和故障排查中给予配合。
5. 为排查问题，您知晓并同意我们在服务过程中查看和分析您的云资源运行指标与性能数据。

## 二、服务范围
1. 受理与我们的技术、产品和解决方案有关的咨询或需求。
2. 提供使用这些技术、产品和解决方案的最佳实践。
3. 协助定位使用云产品时出现的问题并排除故障。
4. 解答 API 与 SDK 的使用问题并协助诊断故障。
5. 支持与云资源有关的操作或使用问题。
6. 支持与管理控制台或其他官方工具有关的问题。

## 三、不在服务范围内的事项
1. 代码开发与调试。
2. 任何未经认证的 IM 沟通群的服务支持；官方支持群以“天翼云 VIP 客户-客户名称”命名。
3. 云上业务操作与代运维。
4. 所有第三方软件的配置指导、故障排查、安装、补丁更新、测试、诊断与优化等日常运维；此类问题请联系软件提供商，或在应用商城-云市场寻找有经验的商家。

## 四、响应承诺
1. 首次响应时限以您订购的级别和工单的紧急程度为准；公测、邀测、试用等免费版本的时限仅供参考，不作承诺。
2. 问题的处理时长受其复杂程度、技术条件和网络状况影响，我们尽一切努力尽快解决，但不承诺解决时限。

## 五、费用与退订
1. 支持计划以年为计费周期，按订购周期收费。
2. 升配补交差额，降配与退订按实际未使用天数的比例退还费用。
3. 请不要频繁变更支持计划级别，我们保留拒绝频繁升降配的权利。
"""

EN_2024 = """# Support plan service agreement

## 1 Who is served, and what is needed
1. The services are for customers who ordered a support plan. A plan belongs to one account and cannot be shared; the service area is mainland China.
2. You provide the place, equipment, necessary non-production environment, remote access, permissions, logs and error messages that the work needs, and state your business goals (such as peak load and concurrency).
3. You name a technical contact and the members of your operations team ("authorised employees"). They may be your employees or third parties with formal authorisation, such as a letter of authorisation or delegated maintenance; what they do counts as done by you.
4. You run your own business and systems, and help to describe problems, collect information and find faults.
5. To find faults we look at running figures and performance data of your cloud resources while we serve you; you know this and agree to it.

## 2 In scope
1. Questions and requests about our technology, products and solutions.
2. Best practice for using them.
3. Help with locating problems and removing faults when using cloud products.
4. Questions about APIs and SDKs, and diagnosing faults with them.
5. Support for operating and using cloud resources.
6. Problems with the management console and other official tools.

## 3 Out of scope
1. Developing and debugging code.
2. Support in any IM group that is not certified; the official group is named "天翼云 VIP 客户-" and the customer's name.
3. Operating your business or systems for you.
4. Everyday care of third-party software: configuration, fault finding, installation, patches, tests, diagnosis and tuning. Please ask its maker or an experienced seller on the cloud market.

## 4 Promise of response
1. The time to the first response follows from your level and the severity of the ticket. For free versions, such as beta, invited test and trial, it is shown but not promised.
2. How long a problem takes depends on its complexity, technical conditions and the network. We do all we can, but promise no time of resolution.

## 5 Fees and leaving
1. Plans are billed by the year, for the period ordered.
2. An upgrade charges the difference; a downgrade and leaving refund in proportion to the days not used.
3. Please do not change levels frequently; we reserve the right to refuse.
"""

AGREEMENTS = (("2024-01", "2024-01-01T00:00:00+08:00", ZH_2024, EN_2024),)
