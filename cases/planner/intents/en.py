"""English."""

from cases.triage.words import Table

INTENTS: Table = {
    "where": (
        0.7,
        """
        where is | will it (make|be|get|arrive|come) | in time | where ~ (order|parcel|package|delivery)
        | where s | wheres | track* | eta | on (the|its) way | status of | order status | status update
        | delivery (date|time|status|update|question)
        | when (will|does|do|can|is|should) ~ (arrive*|come|get here|here |delivered|deliver|receive
        |expect|ship|shipped|sent) | when (will|can) i (get|have) (my|the|it)
        | (has|have|is|was) ~ (shipped|dispatched|sent out|been sent) | any (news|update*|idea)
        | (going|go|leaving|leave|sent|shipped|packed|dispatched) (out|today|yet|already|tomorrow)
        | ship today | update on ~ (order |delivery|parcel|package) | my delivery
        | (going|supposed|meant) to (arrive|come|be delivered|be here) | get here | expect delivery
        | how long ~ (take|until|till|before) | out for delivery
        | still waiting (for|on) (my|the|it|an|our) ~ (order|parcel|package|delivery)
        | not (shipped|dispatched) yet | estimated | moved | stuck | lost in ~ (post|mail|transit)
        | got lost | is lost | it s lost | get lost | no movement | my (parcel|package) | whereabouts
        | delayed | (order|parcel|package) ~ late | running late | no sign of | waiting ~ weeks
        """,
    ),
    "not_here": (
        0.75,
        """
        (never|not|nt) ~ (arrive|arrived|come|came|receive*|got|gotten|turned|turn|showed|reached|showed
        up|delivered|get|recieve*) | nothing (has|have|came|here|arrived|in the)
        | (says|shows|showing|marked|tracking|according) ~ delivered | there is nothing | nobody came
        | (find|see) the (parcel|package) | it has not | it was not | was not here | not here
        | gone missing | no ~ in (the box|the parcel|the package|my box|my parcel|my package|it)
        | (order|parcel|package) ~ (is|seems to be|went) missing | nowhere to be found | was it stolen
        | porch pirate* | was not delivered | not at my door
        """,
    ),
    "said_delivered": (
        0.8,
        """
        (says|shows|showing|marked|tracking|according|apparently|email|claims|supposedly|allegedly) ~
        (delivered|arrived)
        """,
    ),
    "parcel": (0.3, "parcel | package | delivery | my order | post | courier | carrier"),
    "damaged": (
        0.85,
        """
        damage* | (came|fell|come|broke) off | came loose | broken | broke | crack* | smash* | shatter*
        | chip | chipped | torn | ripped | rip | tear | hole | holes | stain* | dented | dent | scratch*
        | bent | snapped | leak* | defect* | faulty | fault | in pieces | unusable | not work*
        | does not work | stopped working | did not survive | crushed | in bits | burst | bruised
        | scuffed | warped | ruined | soaked | mould* | mold* | spoiled | fell apart | came apart
        """,
    ),
    "missing": (
        0.8,
        """
        missing
        | (not|nothing) ~ (in the box|in the parcel|in the package|included|there|in it|inside|in my
        parcel) | you forgot | forgot to (include|put|pack|send) | left out | without the | incomplete
        | no ~ in (it|the box|there) | only (received|got|one|two|three) ~ (of|instead) | short by
        | (one|two|three|item|piece) short | never in the | was absent | lacks | lacking | one too few
        | too few | not everything | should have (been|received|got) ~ but (only|just)
        """,
    ),
    "wrong_item": (
        0.85,
        """
        wrong (item|product|article|thing|one|colo*|size|order|parcel|package|goods|model|variant|piece)
        | instead of | something (else|completely different|different) | completely different | mix* up
        | mixed up | mixup | not what i (ordered|got|bought|asked) | is not what
        | (got|received|sent) ~ (somebody|someone) else s | (is|was) not the
        | different (item|product|thing|article|colo*|size) | should have been (the|a|an) | not the one i
        | sent me the wrong | incorrect (item|product|order|size) | (i|we) did not order | i never ordered
        """,
    ),
    "return": (
        0.85,
        """
        return | returns | returning | returned | send (it|them|this|that|these|back) ~ back | send back
        | sending back | send ~ back | give it back | changed my mind | not keep | keep it after all
        | return label | take (it|them) back | does not (fit|suit) | too (big|small|large|tight)
        | exchange | swap | right of withdrawal | withdraw from | not for me
        """,
    ),
    "refund_status": (
        0.8,
        """
        (where|when|waiting|status|check*|received|receive|seen|see|hear*|what happened) ~ (refund|money
        back)
        | refund ~ (yet|status|went through|arrive*|been|gone through|processed|issued|promised|show*|on
        my|in my|still) | refunded ~ (yet|already) | (promised|said) ~ (refund*|money back)
        | waiting ~ refund | refund of | (where|when) ~ money | my refund | still nothing in my account
        | not on my (statement|card|account) | the refund
        """,
    ),
    "refund_wish": (
        0.35,
        """
        refund | refunded | money back | reimburse* | compensat* | return my money | give me my money
        | credit
        """,
    ),
    "cancel": (
        0.9,
        """
        cancel* | do not (send|ship|want it any) | call off | ordered by (mistake|accident)
        | stop (the|my) order | rather not have it | before it ships | no longer (want|need)
        """,
    ),
    "change": (
        0.85,
        """
        (change|update|correct|wrong|different|new|old|edit|amend|alter|modify|fix) ~ (address|street|zip
        |postcode |apartment|house number|phone number|recipient)
        | (send|ship|deliver|go) ~ (to my|to our|instead|to a different) | apartment number
        | forgot the (apartment|flat|house|unit|floor) | moved house | moving (this|next|house)
        | (delivered|sent|shipped) to my (sister|brother|mother|parents|neighbo*|work|friend|mum|office)
        | shipping address | delivery address | address on | add (a|an|one) ~ (to my order|to the order)
        | change (my|the) order | change ~ (size|colo*|quantity) | to my office instead | typo in
        """,
    ),
    "stock": (
        0.9,
        """
        back in stock | in stock | out of stock | sold out | restock* | available | availability
        | get more | getting ~ in | when ~ (sell|have|get) ~ again | coming back | stock
        """,
    ),
    "product": (
        0.5,
        """
        (is|are|was|does|do|can|would|could|will|has|have) (the|your|it|this|these|you|they)
        | how (much|big|tall|heavy |long|wide|many) | which | what (size|material|colo*|is the)
        | dimension* | weight | suitable | made of | made from | allerg* | dishwasher | engrave*
        | gift wrap* | question about | compatible
        """,
    ),
    "thanks": (
        0.6,
        """
        thank you | thanks | thx | lovely | love it | love them | we love | gorgeous | beautiful
        | perfect | wonderful | delighted | super happy | very happy | so happy
        | great (service|shop|job|product*) | cheers | appreciate* | brilliant | fantastic | excellent
        | arrived (safely|well|today|fine) | all good | no need to reply | pleased
        """,
    ),
    "person": (
        0.9,
        """
        (speak|talk|chat|connect*) ~ (human|person|someone|somebody|manager|agent|representative)
        | real person | real human | a human | call me | phone me | give me a call
        """,
    ),
}

ALL = "all | both | everything | every one | each | all of (it|them) | whole | entire"
ONES = "one (of|out of)"
NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
BREAKS = "but | however | although | while | whereas | except | instead | only | otherwise"
FINE = """
are fine | is fine | rest | others | other (one|ones) | everything else | are lovely | intact | okay | survived | is ok
| are ok | apart from | all good | instead i got | i got a | received a | and got | got a
"""
