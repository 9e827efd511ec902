"""English."""

from cases.triage.words import Table

ANGER: Table = {
    "swearing": (
        0.85,
        """
        fuck* | fck* | bullshit | shit | shitty | crap | crappy | asshole* | arsehole* | bastard* | wtf
        | pissed | piss off | go to hell | screw you | goddamn* | damn you | bollocks | effing | bs
        """,
    ),
    "fury": (
        0.75,
        """
        furious | outraged | outrageous | livid | enraged | seething | disgusted
        | disgusting (service|company|behavio*|way) | appalled | appalling | infuriat* | fuming | irate
        | sick of (this|you|your|waiting|the) | fed up | sick and tired
        | had (it|enough) ~ (with|of) (you|your|this) | had enough | how dare you | shame on you
        | boiling with | lost my patience | my patience ~ (end|over|up|gone|thin|out) | blood boil*
        | angry
        """,
    ),
    "insult": (
        0.7,
        """
        idiot* | moron* | incompeten* | liars | thieves | crooks | con artists | scammers | robbers
        | clowns | you people | disgrace* | shambles | pathetic | cheater* | cheating customers
        | joke of a (company|shop|store|service) | rip off | ripoff | ripped (me|us) off | you are a joke
        | complete joke | absolute joke | you suck | daylight robbery | you (lied|lie) | lying to me
        | full of lies | scum | garbage (company|service) | total scam | you are terrible | crooked
        | stole my money | stealing my money | keep my money | (you|been|was|got|m) robbed
        """,
    ),
    "worst": (
        0.6,
        """
        worst ~ (service|company|shop|store|experience|customer|business|support|ever) | zero stars
        | one star
        | (never|not) ~ (buy|order|shop|use) (again|anything again|here again|from you again|from here
        again) | never ~ (buying|ordering|shopping|using)
        | never ~ (recommend|buy|order|shop) (you|here|from you|with you|anything)
        | never ~ (flying|coming|dealing|trusting|trust) ~ again | never again | what is wrong with you
        | are you kidding | you must be joking | you have got to be kidding | do you even
        | is this a joke | what a joke | treat* customers like | totally unacceptable
        | absolutely unacceptable | completely unacceptable | utterly unacceptable | beyond unacceptable
        | simply unacceptable | absolutely ridiculous | utter* ridiculous | beyond ridiculous | i demand
        | what the hell | the hell | nightmare of a | you should be ashamed
        """,
    ),
    "harsh": (
        0.45,
        """
        unacceptable | ridiculous | unbelievable | horrible | terrible | awful | atrocious | abysmal
        | nightmare* | hate | stupid | useless | rubbish | worst | lies | scam | joke
        | waste of ~ (time|money) | disrespect* | hell | wth | a real person | a human | hung up
        | ignored | ignoring | excuses | sort (this|it) out | a manager | your manager | sucks | suck
        | poor customer service | complete failure | epic fail | mad | absurd | insult* | dishonest
        | the last straw | tell everyone | trustpilot | bad review | ashamed | rude
        """,
    ),
    "annoyed": (
        0.2,
        """
        frustrat* | annoy* | very disappoint* | extremely disappoint* | really disappoint* | bad
        """,
    ),
}

DISTRESS: Table = {
    "danger": (
        1.0,
        """
        suicid* | kill myself | end my life | want to die | wanna die | self harm | hurt myself
        | no reason to live | do not want to live | better off dead
        """,
    ),
    "grief": (
        0.65,
        """
        passed away | funeral
        | (mother|father|husband|wife|son|daughter|mum|mom|dad|baby|brother|sister) ~ (died|dying)
        | heartbroken | heart broken | devastat* | grieving | bereave*
        | lost my (mother|father|husband|wife|son|daughter|mum|mom|dad|baby|job) | terminal* ill
        | miscarriage | broke my heart
        """,
    ),
    "despair": (
        0.65,
        """
        (feel|feeling|am|m|so|getting|absolutely) desperate | in tears | hopeless | ca not cope
        | ca not take (it|this) | wits end | wit s end | breakdown | falling apart | terrified
        | depressed | panic attack* | intensive care | lost everything | house fire
        | not see ~ point (of|in) | no point (of|in) (going|living|anything) | end of my rope | panicking
        | i am begging | begging you | ca not afford (food|rent|to eat|groceries|to lose)
        | no money ~ left | evict* | homeless | at my limit | break* down | mental health | crying
        | cried | sobbing | so sad | petrified | miserable | traumat*
        """,
    ),
    "worry": (
        0.35,
        """
        panic | anxiety | anxious | scared | afraid | frightened | hospital | cancer | overwhelmed
        | stressed | stressful | ca not sleep | do not know what to do | worried sick | sad | sick child
        | please please | nervous | distress* | suffering | alone | ruined | lonely | tears | depress*
        | chemo* | emergency
        """,
    ),
}

LEGAL: Table = {
    "court": (
        0.9,
        """
        sue (you|your|them) | (will|gonna|ll) ~ sue | (going|want|have|prepared|ready|threaten*) to sue
        | suing you | suing | (take|taking|see) (you|this|your) ~ court | see you in court | small claims
        | you ~ to court
        | legal (action|proceedings|steps|advice|measures|recourse|team|counsel|remedies|options)
        | letter before action | class action | lawsuit | litigation | lawyer up | lawyering up
        | lawyerup | take legal | taking legal | pursue this legally | legally obliged | legally required
        """,
    ),
    "lawyer": (
        0.75,
        """
        my (lawyer*|attorney*|solicitor*|barrister)
        | (contact*|hire|hiring|consult*|call*|involv*|instruct*|speak*|talk*|hear*|get*|letter) ~
        (lawyer*|attorney*|solicitor*) | (i m|i am) a lawyer | our lawyer*
        """,
    ),
    "authority": (
        0.75,
        """
        trading standards | consumer protection | attorney general | ombudsman
        | report (you|your|this) ~ to | reporting you | better business bureau | bbb
        | consumer (affairs|council|watchdog|advice) | ftc | (go*|report*|contact*|call*|went) ~ police
        | police report | file ~ complaint with | citizens advice | small claim
        """,
    ),
    "claim": (
        0.6,
        """
        chargeback | charge back | dispute (the|this|it|that) ~ (bank|card|paypal) | breach of ~ contract
        | breach of ~ law | formal notice | formal complaint | know my rights | my legal rights
        | consumer rights act | violation of | subject access request | damages | illegal
        | against the law | fcra | fdcpa | (paypal|bank) dispute | reverse the charge
        | (my bank|bank) ~ (reverse|reclaim)
        """,
    ),
}

FRAUD: Table = {
    "not_me": (
        0.85,
        """
        did not (make|authori*|approve|do|initiate) ~ (payment|charge|purchase|transaction|order|debit
        |withdrawal|this|that|it|them|those|transfer) | did not authori* | not authori* by me
        | never authori* | unauthori* | did not place ~ order
        | never (placed|made) ~ (order|purchase|payment)
        | have not (made|placed) ~ (order|purchase|payment)
        | never (ordered|bought) ~ (from you|at your|with you|in your)
        | without my (permission|consent|knowledge|authori*|approval) | not made by me | was not me
        | i never made | never heard of (you|your)
        """,
    ),
    "unknown_charge": (
        0.7,
        """
        (do|did|does|ca) not (recogni*|remember|recall) ~ (charge|payment|transaction|debit|purchase
        |withdrawal|order|making|it)
        | (do|did) not know (this|that|the|what) ~ (charge|debit|transaction|purchase) | not recogni*
        | unrecogni* | unfamiliar (charge|transaction|payment)
        | unknown (charge|transaction|payment|withdrawal)
        | (charge|payment|transaction|debit|withdrawal) ~ (i|we) (do|did) not (make|know|recogni*|authori*
        |do|remember|recall|approve|place|understand)
        | (charge|payment|transaction|debit|withdrawal) (is|was) not mine
        | what is this (charge|payment) (from|for|on|that|about)
        | where ~ (charge|payment|debit) came from | suspicious
        | strange (charge|payment|transaction|withdrawal) | not my (order|purchase|transaction|payment)
        | (fraudulent|mystery) (charge|payment|order|transaction) | payment ~ not mine
        | charge* ~ i did not (make|recogni*|authori*|place)
        | (charge*|payment*|debit*|withdraw*) ~ did not (make|do|perform|authori*|approve)
        | (charge|payment|debit|withdrawal|transaction) ~ (is|it|that) ~ not mine
        | not familiar with ~ (charge|payment|transaction)
        | (weird|odd) (charge*|payment*|transaction*|debit)
        | dispute ~ (debit|charge|transaction|payment)
        | (debit|charge|transaction|payment) ~ (wish|want|like) to dispute
        """,
    ),
    "stolen": (
        0.85,
        """
        (card|wallet|purse|identity) ~ (stolen|stole|hacked|cloned|compromised|hijacked)
        | (stolen|stole) ~ (card|wallet|purse|identity) | identity theft | card fraud
        | (someone|somebody) ~ (used|using|stole|hacked|made|ordered|bought|accessed|taken|took|withdr*
        |charged) ~ (card|account|my|name|money) | hacked
        | is using my (card|account|name|identity|details)
        | (has|have|had|been|they|he|she|who) used my (card|account|name|identity|details)
        | account ~ (compromised|hacked|hijacked) | card ~ (misused|lost)
        | lost my (card|wallet|bank card|credit) | lost card | missing card | freeze my (account|card)
        | freeze on my card | (ca not|cannot) find my ~ card
        """,
    ),
    "fraud": (
        0.6,
        """
        fraud | fraudulent* | fraudster* | phishing | compromised | someone else ~ using
        """,
    ),
}

GUARDS: Table = {
    "idiom": (
        0.0,
        """
        legal (size|sized|pad|pads|paper|document holder|guardian|age|tender|name|entity) | legally blind
        | court (shoe|shoes|heels|sneaker*|yard) | (tennis|basketball|squash|food|padel|badminton) court*
        | law (book|books|school|student|studies|exam|degree|library|firm mug)
        | lawyer (mug|gift|joke|print|card) | (is|as|her|his|a) ~ lawyer (who|and) ~ (love*|like*)
        | gift for ~ (lawyer|attorney|solicitor) | not bad | to die for | dying to | crying laughing
        | happy tears | tears of joy | mad about (it|this|them) | angry birds | no joke | hell of a
        | sick of waiting room | fraud (protection|prevention|check|detection) | anti fraud
        | is this a scam | not a scam | scam (mail|email|call|text) | cancer (awareness|charity|zodiac)
        | bad (day|weather|idea|timing|luck|habit|news) | too bad | feel bad | mad (hatter|men|max)
        | damages (to|in|on|during) | hate to (bother|ask|be|trouble|say|chase)
        | sad to (hear|say|see|return) | afraid (i|that|it|the|there|my|one|not|we) | i am afraid
        | all alone | stand alone | let alone | leave ~ alone | alone ~ (costs|weighs)
        | suspicious of nothing | horrible (weather|traffic) | terrible (weather|traffic|cold|at)
        | awful (weather|lot) | awfully | crap out | in court shoes | stress free
        | nervous about ~ (colour|color|size) | report this to your | worst case | bad review before
        | emergency (kit|blanket|light|candle*) | tears easily | it tears | tears (at|in|along|on)
        | rubbish (bin|bag) | nightmare before
        """,
    ),
}

NEGATIONS = frozenset("not no never nor neither without hardly isnt".split())
SOFTENERS = ("a bit", "a little", "slightly", "somewhat", "kind of", "sort of", "mildly", "a tad", "rather")
TURNS = frozenset("but unless otherwise or however though if until yet".split())
