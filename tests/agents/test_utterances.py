"""What a speaker's words carry: sentences with the cues that they state or deny."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.utterances import cues_of_words

ENGLISH = """
I am angry. | said_angry
I'm so angry with you! | said_angry
I am really very annoyed right now. | said_angry
I'm scared. | said_worried
I'm terrified of the dark. | said_worried
We are so happy for you both. | said_happy
I feel a bit sad today. | said_sad
I have never been so happy. | said_happy
I could not be happier. | said_happy
I'm happy, excited and proud. | said_happy
You make me so happy. | said_happy
He makes me nervous. | said_worried
It doesn't make me happy. | -said_happy
I find it boring. | tired_words
So happy to be home! | joy_words said_happy
I love this place. | joy_words love_words
I hate waiting for you. | hate_words
I hate to say it. |
I miss you so much. | love_words
That is disgusting. | disgust_words
How disgusting! | disgust_words
This soup is delicious. | praise
What a wonderful day. | joy_words
The film was boring. | tired_words
Is the film boring? |
I'm not angry. | -said_angry
I am not happy about it. | -said_happy
I was never afraid. | -said_worried
I don't feel sad at all. | -said_sad
I'm neither happy nor sad. | -said_happy -said_sad
I'm not angry, just tired. | -said_angry said_tired
I'm not sad but surprised. | -said_sad said_surprised
I don't think I'm angry. | -said_angry
Who says I'm scared? | rhetorical
Why would I be jealous or sad? | rhetorical
How can I not be angry? | rhetorical said_angry
That is not disgusting. | -disgust_words
It isn't fun. | -joy_words
She is so angry. |
They were very happy. |
My brother is scared of dogs. |
You look tired. |
Are you angry? |
Am I happy? |
He said he was sad. |
She told me she is very angry. |
They say I'm happy. |
My mother thinks I'm sad. |
He said: "I hate you." |
I told you I am sorry. | apology blame
I said I'm angry! | said_angry
If I were happy, I would sing. |
I would be so happy. |
I want to be happy. |
When I'm angry, I go for a walk. |
I wish I were happy. | regret_words
I wish you were here. | regret_words
I was so happy then. | said_happy
I used to be scared of water. | said_worried
My name is Joy. |
I love Joy. | love_words
This is Mister Happy. |
Please call me Happy. |
Joy, come here! | command
Uncle Glad is asleep. |
I met Grace and Hope at school. |
my name is happy and i live here |
We met Mr. Sad in the park. |
I'm so Happy! | said_happy
I AM SO ANGRY | said_angry
Happy Birthday, dear Anna! | joy_words
I feel so happy, don't you think so? | said_happy
You did it, didn't you? |
It's cold, isn't it? |
How could you do this to me? | blame grievance
Do you really believe that? | rhetorical surprise_words
Who do you think you are? | rhetorical
Why should I apologise? | rhetorical
Thank you for everything. | thanks
I can't thank you enough. | thanks
No thanks. | refusal -thanks
Sorry, I'm late. | apology
I'm not sorry. | -apology
I'm sorry to hear that. | comfort
Please forgive me. | apology plea
Are you sorry? |
You always do that. | blame
It's all your fault. | blame
You idiot! | insult
I'm such an idiot. | said_embarrassed shame_words
Shut up and get out! | insult
I'll kill you. | threat
Don't you dare. | threat
Please don't leave me. | plea
I beg you, let me go. | plea
I will not do it. | refusal
Absolutely not. | refusal
Calm down and sit down. | command
I swear I will never do that. | insistence
You should see a doctor. | advice
It wasn't me. | defence
I can explain everything. | defence
Let me help you with that. | offer
Hello, how are you? | greeting
Okay, sounds good. | agreement praise
Um, well, I, I don't know how to say this. | hesitation_words
Oh my God! | surprise_words
I can't believe it. | surprise_words
What if something happened to him? | worry_words
There's nothing I can do. | helpless_words
My grandfather died last year. | grief_words
If only I had known. | regret_words
Don't worry, everything will be fine. | comfort wish
Yeah, right. Great job. | agreement irony praise
Oh great, it is raining again. | irony joy_words
Guess what! | interest_words
Haha, that is so funny. | joy_words laughter_token said_amused
Whatever. | tired_words
"""
CHINESE = """
我很生气。 | said_angry
我好害怕啊！ | said_worried
我有点难过 | said_sad
我真的太开心了 | said_happy
我们都非常高兴 | said_happy
真开心！ | said_happy
好害怕 | said_worried
让我很失望 | said_sad
这让我有点担心 | said_worried
我心里很难受 | said_sad
见到你真高兴 | said_happy
我又累又困 | said_tired
我恨你 | hate_words
我爱你 | love_words
我想你了 | love_words
这真恶心 | disgust_words
太可怕了 | fear_words
这部电影很无聊 | tired_words
这部电影无聊吗？ |
我不生气 | -said_angry
我没有害怕 | -said_worried
我一点也不开心 | -said_happy
我从来不怕你 | -said_worried
我并不难过，只是累 | -said_sad said_tired
我怎么会生气 | -said_angry
谁说我害怕了 | rhetorical
我能不生气吗？ | rhetorical said_angry
我怎么能不难过呢？ | rhetorical said_sad
她很生气 |
他们特别高兴 |
我妈很生气 |
我弟弟害怕狗 |
你生气了吗？ |
你看起来很累 |
他说他很难过 |
她告诉我她很害怕 |
妈妈觉得我很开心 |
他对我说：“我恨你” |
我说我很生气！ | said_angry
要是我开心就好了 | regret_words
如果我生气，我会走 |
我会很开心的 |
我想开心一点 |
我生气的时候不说话 |
我当时很害怕 | said_worried
他叫开心 |
我叫高兴，很高兴认识你 | greeting said_happy
小开心在家 |
开心先生来了 |
我真的很happy | said_happy
我今天很tired | said_tired
I am so 开心 today | said_happy
I'm not 生气 | -said_angry
我没有angry | -said_angry
他很angry |
我叫Joy，你呢？ |
我和Grace去学校 |
她说I love you |
我很幸福，你不觉得吗？ | said_happy
今天很冷，对吧？ |
你来了，是不是？ | greeting
难道你不知道吗？ | rhetorical
你凭什么骂我？ | blame complaint rhetorical
谢谢你帮我 | thanks
不用谢谢他 | -thanks
对不起，我来晚了 | apology
都是我的错 | apology
你对得起我吗？ |
都怪你！ | blame
你怎么能这样对我 | blame grievance
你这个混蛋 | insult
我真笨 | shame_words
滚出去！ | insult
我警告你 | threat
求求你，别走 | command plea
放过我吧 | plea
我不去 | refusal
给我站住 | command
我告诉你，这事没完 | insistence
你应该去看医生 | advice
不是我干的 | defence
我来帮你吧 | offer
大家好，欢迎光临 | greeting
好的，没问题 | agreement
那个，我，我不知道怎么说 | hesitation_words
天哪 | surprise_words
怎么会这样 | confusion_words surprise_words
怎么办，万一他出事呢 | worry_words
没办法，只能这样了 | helpless_words
我爷爷去世了 | grief_words
早知道我就不来了 | regret_words
别担心，会好的 | comfort
呵呵，你可真行 | irony
哼，有什么了不起 | contempt_words rhetorical
哈哈，笑死我了 | laughter_token said_amused
随便你 | tired_words
我被他们骗了 | grievance
他骗了我 | grievance
我好感动 | said_affectionate
我對不起你，真的很難過 | apology said_sad
真令人讨厌 | said_disgusted
他高兴，我也高兴 | said_happy
我不是不高兴 | -said_angry said_happy
多么美丽啊 | praise
气死我了 | said_angry
吓死我了 | said_worried
急死人了 | said_worried
"""
"""Words of a speaker, by us, with their cues; "-" marks what is denied."""
FORMAL = {"question", "tag_question", "exclamation", "pleasant_words", "unpleasant_words"}
"""Cues of marks and of topics, which the two tables leave out."""


def table(text: str) -> list[tuple[str, set[str]]]:
    lines = (line.partition(" |") for line in text.strip().splitlines())
    return [(sentence, set(cues.split())) for sentence, _, cues in lines]


def cues_in(sentence: str) -> set[str]:
    found = (m for m in cues_of_words(sentence) if m.cue not in FORMAL)
    return {f"-{m.cue}" if m.negated else m.cue for m in found}


def stated(sentence: str) -> set[str]:
    return {m.cue for m in cues_of_words(sentence) if not m.negated}


@pytest.mark.parametrize(("sentence", "cues"), [*table(ENGLISH), *table(CHINESE)])
def test_words_carry_their_cues_and_no_others(sentence: str, cues: set[str]) -> None:
    assert cues_in(sentence) == cues


MARKS = (
    ("Where is it?", "question"),
    ("你去哪儿", ""),
    ("你去吗", "question"),
    ("It is Monday, isn't it?", "tag_question"),
    ("今天很冷，对吧？", "tag_question"),
    ("There he is!", "exclamation"),
    ("We had an accident.", "unpleasant_words"),
    ("他说出了车祸", "unpleasant_words"),
    ("The wedding is tomorrow.", "pleasant_words"),
    ("明天是他的婚礼", "pleasant_words"),
    ("There was no accident.", ""),
)


@pytest.mark.parametrize(("sentence", "cue"), MARKS)
def test_marks_and_topics_are_cues(sentence: str, cue: str) -> None:
    assert {m.cue for m in cues_of_words(sentence)} == ({cue} if cue else set())


def feelings(language: str) -> list[str]:
    """The labels that the tables know as feelings, of a language."""
    labels = lexicon().labels
    names = [w for label in labels for w in ((label.name,) if language == "en" else label.words_zh)]
    frame = "I am so {}" if language == "en" else "我很{}"
    return [w for w in names if any(c.startswith("said_") for c in stated(frame.format(w)))]
