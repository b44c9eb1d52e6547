"""What is told of a caption is what a picture can show: no names, no reasons, nothing felt.

The captions are of our making, in the manner of BLIP, SmolVLM and Qwen2.5-VL; none is of a clip
that we have.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.tools.caption.records import Written
from emer.tools.caption.vision_api import VisionApi
from emer.tools.caption.wording import clean

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
""".strip().splitlines()


@pytest.mark.parametrize("caption", AS_IT_IS)
def test_what_is_seen_is_told_as_it_is(caption):
    assert told(caption) == clean(caption)


NAMED = {
    "John stands at a desk": "a person stands at a desk",
    "John and Mary dance in a kitchen.": "a person and another person dance in a kitchen",
    "John looks at Sarah. John smiles.": "a person looks at another person; the person smiles",
    "A woman talks to Sarah across the table.": "a woman talks to a person across the table",
    "Barack Obama looks down at a podium.": "a person looks down at a podium",
    "president Obama waves": "a person waves",
    "Vincent van Gogh paints": "a person paints",
    "Dr. House frowns": "a person frowns",
    "a man named john sits on a couch": "a man sits on a couch",
    "A man who looks like Tom Cruise nods.": "a man nods",
    "**John** smiles": "a person smiles",
    "A woman, Emma, wipes her eyes.": "a woman wipes her eyes",
    "John's hand rests on Sarah's shoulder.": "a person's hand rests on another person's shoulder",
    "As Emma grabs the door, a man raises his hand.": (
        "as a person grabs the door, a man raises his hand"
    ),
    "A smiling Taylor Swift waves to fans.": "a smiling person waves to fans",
    "A woman stands in front of Anna and cries.": "a woman stands and cries",
    "A portrait of Queen Elizabeth hangs on the wall.": "a portrait hangs on the wall",
    "This is Barack Obama. He waves at the crowd.": "he waves at the crowd",
    "The man is Tom Hanks": "it gives somebody a name, and nobody is identified here",
    "The boy is Harry Potter, holding a wand.": "the boy, holding a wand",
    "The man, identified as Elon Musk, gestures with his hands.": "the man gestures with his hands",
    "The teacher, Mrs. Johnson, writes on the board.": "the teacher writes on the board",
    "A blond man who resembles Brad Pitt lights a cigarette.": "a blond man lights a cigarette",
    "A boy, whose name is Tim, throws a stone.": "a boy throws a stone",
    "Mia's eyes are wide open.": "a person's eyes are wide open",
    "Two men, David and Paul, shake hands.": "two men shake hands",
    "His friend Mark points at the sky.": "his friend points at the sky",
    "Peter holds a gun while Maria screams.": "a person holds a gun while another person screams",
}
WHY_AND_WHAT_IS_THOUGHT = {
    "A woman cries because John betrayed her.": "a woman cries",
    "Because she lost her job, the woman weeps at her desk.": "the woman weeps at her desk",
    "A woman weeps at her desk after losing her job.": "a woman weeps at her desk",
    "He is loud because she left, holding a cup.": "he is loud, holding a cup",
    "A woman sits on a bed, thinking about her past.": "a woman sits on a bed",
    "A woman is thinking about her past while looking out of a window.": (
        "a woman looking out of a window"
    ),
    "The man, who is thinking of his wife, holds a photograph.": "the man holds a photograph",
    "He wants to leave her and looks away.": "he looks away",
    "The woman has tears in her eyes, suggesting that she is sad.": (
        "the woman has tears in her eyes"
    ),
    "She is worried about her exam and rubs her neck.": "she is worried-looking and rubs her neck",
    "She feels betrayed by her husband and turns away.": "she turns away",
    "The scene conveys a sense of tension.": "it tells nothing that can be seen",
    "He stares out of the window, lost in his memories.": "he stares out of the window",
    "Her eyes show that she no longer loves him.": "it tells nothing that can be seen",
    "A woman waits at a window, hoping her husband will return.": "a woman waits at a window",
    "The woman smiles to hide her nervousness.": "the woman smiles",
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
    "She is overcome with grief and buries her face in a pillow.": (
        "she buries her face in a pillow"
    ),
    "Filled with rage, a man throws a chair.": "a man throws a chair",
    "Her grief is evident. She covers her face.": "she covers her face",
    "The man's face shows disgust.": "the man's face shows a look like disgust",
    "Joy is written all over her face.": "a look like joy all over her face",
    "The teenager sits alone, feeling a deep sense of loneliness.": "the teenager sits alone",
    "The woman feels joy.": "it tells nothing that can be seen",
    "The couple are in love and hold hands.": "the couple hold hands",
    "There is a hint of irritation in her eyes.": "there is a look like irritation in her eyes",
    "The child clings to her mother out of fear.": "the child clings to her mother",
    "A sense of dread fills the room.": "it tells nothing that can be seen",
}


@pytest.mark.parametrize(
    ("caption", "left"), (NAMED | WHY_AND_WHAT_IS_THOUGHT | FELT).items(), ids=str
)
def test_what_is_not_seen_goes_and_the_rest_is_told(caption, left):
    assert told(caption) == left


def test_what_is_kept_with_a_clue_names_nobody_either():
    found = TOOL._told(Written("John Smith has a look of sorrow", -0.1), 0.0, 1.0)
    assert found.written == "A person has a look of sorrow" and found.felt == ("sorrow",)


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
