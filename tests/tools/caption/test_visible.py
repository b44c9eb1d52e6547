"""What is told of a caption is what a picture can show: no names, no reasons, nothing felt.

A guard leaves a sentence, cuts a clause of it or drops it; it never claims anything else. The
captions are of our making, in the manner of BLIP, SmolVLM and Qwen2.5-VL; none is of a clip that
we have.
"""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.tools.caption.caption_filter import Written, clean, instead
from emer.tools.caption.english import is_english
from emer.tools.caption.vision_api import VisionApi

TOOL = VisionApi("m", "http://127.0.0.1:9/v1")


def told(caption: str) -> str:
    """Return what is told of a caption, or why nothing is."""
    found = TOOL._told(Written(caption, -0.1), 0.0, 1.0)
    return found if isinstance(found, str) else found.text


AS_IT_IS = """
a man in a New York Yankees cap sits on a bench
A man wearing a Santa Claus hat smiles at the camera.
A couple stands with the Golden Gate Bridge in the background.
A woman drinks from a Coca-Cola can.
a woman in a red dress stands in front of the Eiffel Tower
A boy wears Nike shoes and kicks a ball.
Two people sit at a table in Times Square.
Two Asian women look at each other.
The Statue of Liberty is visible through the window.
a man plays Monopoly with two children
A young man speaks into a microphone with the CNN logo.
a man dressed as Batman stands on a street
The American flag hangs behind a man in a suit.
a bottle of Heineken stands on the table
A man with Chinese characters tattooed on his arm lifts his chin.
Smoke rises behind a man who covers his mouth.
Tears run down the woman's cheeks as she looks at the floor.
A man holds a sign that reads "John Smith left because of Mary" and waves.
She raises her eyebrows and opens her mouth.
A group of friends at McDonald's share a pizza.
A woman wearing a Gucci belt and a Rolex walks past a Starbucks.
French fries and a Pepsi are on the table in front of the girl.
A pride parade passes with rainbow flags.
The panic button is under the desk.
A woman reads a love letter at a table.
a man looks at his phone while waiting for a bus
The man in the foreground is blurred; the woman behind him is in focus.
A soldier salutes in front of the Lincoln Memorial.
a group of people standing around a Christmas tree
A boy pets a German Shepherd in the yard.
A man wearing a Guy Fawkes mask raises his fist.
Two boys play Minecraft on a laptop.
A man in a Pittsburgh Steelers hoodie opens a bag of Lay's chips.
A woman lights candles on a cake that says "Happy Birthday Anna".
A woman in a Yale sweater sips tea from an IKEA mug.
The Sydney Opera House rises behind two tourists.
The man's T-shirt reads I Love Paris.
A person in a Darth Vader helmet waves at children.
Workers in orange vests repair a road in Tokyo.
A TV shows the BBC News.
A woman gives a knowing smile.
She wears a wide, knowing smile.
He speaks without fear.
A woman does not open the love letter.
A man looks into a wishing well.
The woman doesn't smile at the camera.
Nobody sits at the table with the birthday cake.
A woman gives thanks to the crowd.
A group composed of women dances.
A man reads the content of a letter.
A Woman Smiling At The Camera
It is Monday on the calendar; a man yawns.
""".strip().splitlines()


@pytest.mark.parametrize("caption", AS_IT_IS)
def test_what_is_seen_is_told_as_it_is(caption):
    assert told(caption) == clean(caption)


OTHER_LANGUAGES = """
Ein Mann lächelt in die Kamera.
Der Mann in Rot steht in London und hat Angst.
Angela Merkel lacht in die Kamera.
Die Frau weint, weil Peter sie verlassen hat.
Un homme content regarde la caméra.
Une femme triste est assise dans la rue avec Marie.
Una mujer sonríe a la cámara en Madrid.
El hombre llora porque Juan no es feliz.
De man in het huis is boos en lacht.
O homem está com medo porque perdeu.
Seorang pria muda tersenyum bahagia
一个男人在笑, 因为他赢了
""".strip().splitlines()


@pytest.mark.parametrize("caption", OTHER_LANGUAGES)
def test_other_languages_are_left_as_they_are(caption):
    assert not is_english(caption) and told(caption) == clean(caption)


@pytest.mark.parametrize("caption", AS_IT_IS)
def test_english_is_known(caption):
    assert is_english(caption)


NOBODY, UNSEEN = (
    "it gives somebody a name, and nobody is identified here",
    "it tells nothing that can be seen",
)
NAMED = {
    "A man named john sits on a couch": "a man sits on a couch",
    "A man who looks like Tom Cruise nods.": "a man nods",
    "A man who is Tom Hanks waves.": "a man waves",
    "A woman, Emma, wipes her eyes.": "a woman wipes her eyes",
    "A man hugs his daughter, Emma.": "a man hugs his daughter",
    "A man, a boy, Anna, and a dog walk in a park.": "a man, a boy and a dog walk in a park",
    "The man, identified as Elon Musk, gestures with his hands.": "the man gestures with his hands",
    "A boy, whose name is Tim, throws a stone.": "a boy throws a stone",
    "A blond man who resembles Brad Pitt lights a cigarette.": "a blond man lights a cigarette",
    "This is Barack Obama. He waves at the crowd.": "he waves at the crowd",
    "A man claps on a stage. John hits a woman. He runs away.": "a man claps on a stage",
    "A man nods. Dr. House frowns. A woman waves.": "a man nods; a woman waves",
    "A man waves; John nods.": "a man waves",
    "The scene is set in Paris. Emma smiles.": "the scene is set in Paris",
} | dict.fromkeys(
    """
John stands at a desk
John and Mary dance in a kitchen.
John looks at Sarah. John smiles.
A woman talks to Sarah across the table.
Barack Obama looks down at a podium.
president Obama waves
Vincent van Gogh paints
Dr. House frowns
**John** smiles
John's hand rests on Sarah's shoulder.
As Emma grabs the door, a man raises his hand.
A smiling Taylor Swift waves to fans.
A woman stands in front of Anna and cries.
A portrait of Queen Elizabeth hangs on the wall.
The man is Tom Hanks
The man is named Tom and waves.
The boy is Harry Potter, holding a wand.
The teacher, Mrs. Johnson, writes on the board.
Mia's eyes are wide open.
Two men, David and Paul, shake hands.
His friend Mark points at the sky.
Peter holds a gun while Maria screams.
Big Ben is in the background.
Lincoln Memorial is behind the man.
A man looks at Google Maps.
Will Smith slaps Chris Rock on stage.
Will Smith waves.
Emma is crying at a desk.
Emma, wearing a hat, is at a table.
A man named John.
Oliver kneads the dough.
The famous Tom Hanks is at a table.
J. K. Rowling signs a book.
Barack Obama, Joe Biden
The police officer John Smith salutes.
A man named John's dog barks.
A man not named John waves.
A man and a woman named Anna and Mary wave.
A man holds Sarah's hand.
A woman cries because John betrayed her.
""".strip().splitlines(),
    NOBODY,
)
WHY_AND_WHAT_IS_THOUGHT = {
    "A woman cries because her dog is lost.": "a woman cries",
    "A man stares, realizing that he lost, his mouth open.": "a man stares",
    "A man smiles, with his eyes closed, conveying joy.": "a man smiles, with his eyes closed",
    "A man draws a plan, thinking of his house.": "a man draws a plan",
    "A man clenches his fists, as if he wants to fight.": "a man clenches his fists",
    "A man hits a ball and a woman thinks about her home.": UNSEEN,
    "A man hits a ball and a woman, lost in thought, sits.": UNSEEN,
    "It looks like the man wants to leave.": UNSEEN,
    "If he smiles because he won, the woman claps.": UNSEEN,
    "A woman does not cry because she is sad.": UNSEEN,
    "Nobody laughs because the joke is bad.": UNSEEN,
    "A man hardly smiles, thinking of his wife.": UNSEEN,
    "A woman who believes in ghosts lights a candle.": UNSEEN,
    "A woman smiles or wants to smile.": UNSEEN,
    "The woman smiling at him wants to leave.": UNSEEN,
    "A woman waves. A man wants to leave. She sits down.": "a woman waves",
    "Because she lost her job, the woman weeps at her desk.": "the woman weeps at her desk",
    "A woman weeps at her desk after losing her job.": "a woman weeps at her desk",
    "He is loud because she left, holding a cup.": "he is loud",
    "A woman sits on a bed, thinking about her past.": "a woman sits on a bed",
    "A woman is thinking about her past while looking out of a window.": UNSEEN,
    "The man, who is thinking of his wife, holds a photograph.": UNSEEN,
    "He wants to leave her and looks away.": UNSEEN,
    "The woman has tears in her eyes, suggesting that she is sad.": (
        "the woman has tears in her eyes"
    ),
    "She is worried about her exam and rubs her neck.": "she is worried-looking",
    "She feels betrayed by her husband and turns away.": UNSEEN,
    "The scene conveys a sense of tension.": UNSEEN,
    "He stares out of the window, lost in his memories.": "he stares out of the window",
    "Her eyes show that she no longer loves him.": UNSEEN,
    "A woman waits at a window, hoping her husband will return.": "a woman waits at a window",
    "The woman smiles to hide her nervousness.": UNSEEN,
    "She smiles, knowing that she has won.": "she smiles",
    "The man scratches his head, trying to figure out the problem.": "the man scratches his head",
    "A woman cries on the phone, possibly due to a breakup.": "a woman cries on the phone",
}
FELT = {
    "Anger on his face as he slams a door": "a look like anger on his face as he slams a door",
    "a man with a look of sorrow holds a letter": "a man with a look like sorrow holds a letter",
    "A woman with a mix of fear and anger on her face steps back.": (
        "a woman with a look like fear and anger on her face steps back"
    ),
    "The man trembles with fear and clenches his fists.": (
        "the man trembles and clenches his fists"
    ),
    "She is overcome with grief and buries her face in a pillow.": UNSEEN,
    "Filled with rage, a man throws a chair.": "a man throws a chair",
    "Her grief is evident. She covers her face.": "she covers her face",
    "The man's face shows disgust.": "the man's face shows a look like disgust",
    "Joy is written all over her face.": UNSEEN,
    "The teenager sits alone, feeling a deep sense of loneliness.": "the teenager sits alone",
    "The woman feels joy.": UNSEEN,
    "The couple are in love and hold hands.": UNSEEN,
    "There is a hint of irritation in her eyes.": "there is a look like irritation in her eyes",
    "The child clings to her mother out of fear.": "the child clings to her mother",
    "A sense of dread fills the room.": UNSEEN,
    "The woman does not appear to be in pain and smiles.": UNSEEN,
    "A woman not in fear stands.": UNSEEN,
    "He is not filled with anger but smiling.": UNSEEN,
    "The man shows no sign of fear.": UNSEEN,
    "There is no anger on his face.": UNSEEN,
    "There isn't any fear in her eyes.": UNSEEN,
    "A man with no fear on his face walks.": UNSEEN,
    "She feels neither joy nor grief.": UNSEEN,
    "His face is filled with rage.": UNSEEN,
    "Her eyes, full of sorrow, are wet.": UNSEEN,
    "Her eyes are wide with fear.": "her eyes are wide",
    "A woman trembles in fear and cold.": "a woman trembles",
    "A woman looks in horror at the floor.": "a woman looks at the floor",
    "There is anger on his face.": "there is a look like anger on his face",
    "A man expresses joy.": UNSEEN,
    "There are traces of fear on his face.": UNSEEN,
    "She shows neither anger nor sadness.": UNSEEN,
    "A man points at a boy struck with fear and shouts.": "a man points at a boy",
    "A person with a smile full of joy.": UNSEEN,
    "The tall man's smile, full of joy.": UNSEEN,
    "A young man in pain cries.": UNSEEN,
    "A face filled with rage and turned to him is seen.": UNSEEN,
    "The child's eyes widen in surprise.": "the child's eyes widen",
    "A man shouts with rage at a woman, who cries in fear.": "a man shouts",
    "A man hits a ball and a woman in pain cries.": UNSEEN,
    "She looks like she is in pain.": UNSEEN,
    "Tears of joy run down her face.": UNSEEN,
    "A man with a smile of relief waves.": UNSEEN,
}


@pytest.mark.parametrize(
    ("caption", "left"), (NAMED | WHY_AND_WHAT_IS_THOUGHT | FELT).items(), ids=str
)
def test_what_is_not_seen_goes_and_the_rest_is_told(caption, left):
    assert told(caption) == left


LOOKS = re.compile(r"-looking\b|\ba look like |\blike (?=[a-z]+)|\blook of |\bof (?=sorrow)")
"""What a guard may write besides: a feeling told as a look."""


def parts(text: str) -> list[str]:
    return [LOOKS.sub("", part) for part in re.split(r"(?<=[.!?;])\s+", text)]


def is_cut_of(part: str, whole: str) -> bool:
    words = iter(re.findall(r"[\w'-]+", whole.casefold()))
    return all(word in words for word in re.findall(r"[\w'-]+", part.casefold()))


@pytest.mark.parametrize(
    "caption", [*AS_IT_IS, *OTHER_LANGUAGES, *NAMED, *WHY_AND_WHAT_IS_THOUGHT, *FELT]
)
def test_each_sentence_told_is_one_of_the_caption_or_cut_of_one(caption):
    left = told(caption)
    if left not in (NOBODY, UNSEEN):
        assert all(any(is_cut_of(part, whole) for whole in parts(caption)) for part in parts(left))


def test_what_is_kept_with_a_clue_names_nobody_either():
    found = TOOL._told(Written("John Smith nods. A boy has a look of sorrow", -0.1), 0.0, 1.0)
    assert found.written == "A boy has a look of sorrow" and found.felt == ("sorrow",)


@given(st.text(max_size=200))
def test_any_text_is_told_on_one_line_or_not(text):
    assert told(text).isprintable()


@pytest.mark.parametrize(
    "part", ["Tom Hanks ", "A ", ", who is ", "because , ", "anger and ", "thinking about, who "]
)
def test_long_text_takes_no_longer_than_it_is_long(part):
    began = time.process_time()
    told(part * 2000)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(
    "caption",
    [
        "She refuses to cry.",
        "The woman avoids smiling.",
        "Her smile has faded.",
        "The man hardly smiles.",
        "The man is far from angry.",
        "She looks anything but happy.",
        "If she were angry, she would frown.",
        "He shows little joy.",
        "The woman used to be happy.",
        "She is too tired to be angry.",
        "He might be about to cry.",
        "He could be angry or sad.",
        "It is hard to say whether he is angry.",
        "The movie poster behind her shows a crying woman.",
        "The dog beside him looks angry.",
        "A man wears a sad clown mask.",
        "A man holds a sign saying I AM ANGRY.",
        "Therefore, the person appears angry.",
        "Let me know if the smile is unclear.",
    ],
)
def test_signs_that_nobody_displays_are_not_told(caption):
    assert told(caption) == UNSEEN
    assert told(f"{caption} A man stands at a desk.").endswith("man stands at a desk")


@pytest.mark.parametrize(
    ("caption", "left"),
    [
        ("Sure, a man smiles.", "a man smiles"),
        ("Here is a description: a woman frowns.", "a woman frowns"),
        ("1. A man smiles.\n2. He waves.", "a man smiles; he waves"),
        ("The man does not smile.", "the man does not smile"),
        ("A woman smiles at a dog.", "a woman smiles at a dog"),
        ('A man holds a sign saying "I AM ANGRY".', 'a man holds a sign saying "I AM ANGRY"'),
    ],
)
def test_what_leads_in_goes_and_plain_denials_stay(caption, left):
    assert told(caption).casefold() == left.casefold()


@pytest.mark.parametrize(
    "caption",
    [
        "Sorry, I can't see any image.",
        "No image was provided.",
        "It seems there is no image attached.",
        "Please provide an image so I can describe it.",
        "I don't feel comfortable describing the person.",
    ],
)
def test_a_model_that_saw_nothing_tells_nothing(caption):
    assert instead(caption) == "it declines to describe"
