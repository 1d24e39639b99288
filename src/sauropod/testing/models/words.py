"""Common English words, the most frequent first: what the synthetic vocabularies are made of."""

from __future__ import annotations

__all__ = ["CHARACTERS", "MARKS", "WORDS"]

CHARACTERS = "é’ü—好🦕"
"""Characters of two, three and four bytes that get a piece of their own. All others are split."""

MARKS = ('{"', '":', '",', '"}', "},", "[{", "}]", "\n\n", "  ", "...", "://")
"""Runs of punctuation and space that get a piece of their own."""

_TEXT = """
the of and to a in is that it was for on you with as he be at by I this had not are but from or have an they which one
were all her she there would their we him been has when who will no more if out so up said what its about than into
them can only other time new some could these two may first then do any like my now over such our man me even most
made after also did many off before must well back through years much where your way down should because long each
just state those people too mister how little good make very still see own work men day get here between both life
being under three never know same last another us while since might great go come year right used take old place water
world house found without again part think thought high though every went hand against home small head around until
school once left number eyes night almost course during something fact public put always far asked told better called
second later room say having set nothing look end words point whole name find already door become system four enough
group give given young face order different possible large country next often early side case power need important
social present best among program general several light body war business rather themselves word problem sense use
white half interest national began field money city let area big today true family open line known question mind
action history feel feet figure development service study local seen believe control company above within experience
times keep human turn change child death week matter really five full close example certain students love upon office
kind leave air street together force car music start past read girl late moment hold woman mother reason clear however
able party voice idea level form report short view act age along held land free plan south north west east stand
answer making cut front wife person black real type run research doing member hours table church court department
education cost million tax miles morning century community private means tell strong process material sound taken
bring show toward whether society major paper value policy special center common letter effect attention difficult
evidence available simple surface student stage minutes quite green blue red yellow results result return paid ground
ever heard father top low third clearly future further industry size six seven eight nine ten hundred thousand play
market simply trying likely followed amount deal direct wanted position hard spring summer winter autumn lost river
mountain sea ocean island tree trees forest animal animals bird birds fish horse dog cat food bread milk sugar salt
meat fruit apple hot cold warm cool dry wet soft dark bright heavy quick slow deep wide narrow round flat sharp smooth
rough sweet bitter loud quiet empty busy happy sad angry afraid tired hungry gentle brave honest rich poor easy ready
safe wrong perfect beautiful strange plant garden flower leaf root seed grass stone sand iron gold silver glass wood
metal cotton wool silk ink pen book page story song poem picture color shape circle square corner edge middle bottom
inside outside behind beside below across beyond near away apart ahead aside alone indeed perhaps maybe therefore thus
instead except despite although unless whatever whenever wherever everyone someone anyone nobody everything anything
somewhere anywhere yes please thank thanks sorry hello goodbye ask begin break build buy call carry catch choose clean
climb collect compare complete consider continue cook count cover create cross cry dance decide describe design
destroy develop discover discuss draw dream dress drink drive drop eat enjoy enter examine expect explain fall feed
fight fill finish fix fly follow forget forgive gather grow guess happen hate hear help hide hit hope hurt imagine
improve include increase invite join jump kick kill kiss knock laugh lay lead learn lend lie lift listen live lock
lose marry measure meet melt mix move notice obtain offer owe paint pass pay pick pour pray prefer prepare press
pretend prevent produce promise protect prove pull push raise reach receive remember remove repair repeat replace
reply require rest ride ring rise roll rub save search seem sell send serve shake share shine shoot shout sign sing
sink sit sleep slip smell smile speak spell spend spread stay steal step stick stop succeed suffer suggest support
surprise swim talk taste teach tear throw tie touch train travel treat trust try understand visit wait wake walk want
warn wash waste watch wear weigh win wish wonder worry write am does done goes going gone came coming comes makes
takes took taking gives gave giving says saying looked looking looks using uses worked working works calling needs
needed seemed seems started starting turned turning helped moved moving lived living lives brought happened wrote
written writing provided provide sat stood standing running ran ended bought sold built sent spent fell kept felt
model text token data file language computer machine memory engine server user message request response error function
list string object key class method code test input output image audio speech stream batch score sample network
context prompt assistant weather temperature tool query date hour minute month January February March April June July
August September October November December Monday Tuesday Wednesday Thursday Friday Saturday Sunday Paris London
Berlin America Europe Africa Asia England France Germany China India Japan English French German Spanish The It In
This He We You They She What How When Where Why Who If And But A There My Please Yes No government president law
rights police army peace nation political economic international federal science theory physics chemistry biology
medicine doctor hospital health disease patient nurse energy electric radio telephone television camera film newspaper
magazine station road bridge ship boat plane wheel village town map king queen prince captain soldier teacher lawyer
farmer worker driver writer artist friend neighbor uncle aunt sister brother son daughter baby husband parents accept
according account achieve actually add address admit adult affect agree agency allow analysis ancient announce
apparently appear apply approach approximately argue argument arm arrange arrive article assume attack attempt attend
average avoid aware bank base basic basis bear beat bed behavior benefit bill bit block blood blow board born bother
box brain branch brief budget burn button campaign candidate capital careful cause cell central chair challenge chance
chapter character charge cheap check choice citizen civil claim coach coast coffee collection college comment
commercial commit committee communicate compute concern condition conference connect consequence constant construct
contain content contribute conversation correct couple crime crisis critical cultural culture current currently
customer daily damage dangerous debate decade decision defense degree deliver demand democratic depend desire detail
determine device difference digital dinner direction director disappear display distance doubt dozen due duty earlier
earth easily effort either election element eliminate else emphasis employ encourage enemy engage enormous ensure
entire environment equal equipment escape especially essential establish estimate event eventually everybody evil
exactly exchange exist existing expensive expert express extend extra extreme factor factory fail fair faith familiar
famous fashion fast fear feature fellow female fewer final finally finger fire firm flow focus following foot foreign
former forward frame freedom frequently fresh fuel gain game gas generate generation glance global goal goods grand
grant growth guard guest guide gun habit hair handle hang hardly hearing heart heat height hero highly hill hire
historical host hotel huge hurry identify illness immediate immediately impact imply impossible impression indicate
individual influence information initial injury inspire install instance institution instruction insurance
intelligence intend interested interesting internal introduce investigate involve issue item itself job judge justice
keen knowledge labor lack lady latest launch layer leader leading leaning legal length lesser library license limit
limited link literature load loan locate location logic loss lots lower lunch main maintain manage manager mass master
match mayor measurement media meeting mention mere mile military mission mistake modern mostly motion mouth movement
multiple murder muscle myself narrative native natural naturally nature nearly necessary negative neither nice nodded
noise none normal nose notes novel obvious obviously occur odd officer official oil online operate operation opinion
opportunity opposite option ordinary organization origin original ought ourselves overall package pain pair parent
participate particular particularly partner path pattern pause perform performance period permit personal phone photo
phrase physical piece pilot planet pleasure plenty pocket politics popular population positive potential pound
practical practice precise presence pressure pretty previous price primary principle print prior prison probably
procedure proceed product profession professional professor profit progress project property proposal propose proud
publish purpose pursue quality quarter quickly quote race random range rapidly rare rate reaction reader reading
reality realize reasonable recall recent recently recognize recommend record reduce refer reflect reform refuse regard
region regular relate related relation relationship release relevant religious remain remaining remarkable replied
represent reputation rescue resource respect respond responsible rock role rule rules safety sale scale scene schedule
screen sector security seek select self sentence separate series serious session settle shall sheet shift shop
shoulder sick sight significant similar single site situation skill skin slight slightly slowly smart soil solution
solve somebody somewhat soon source space specific specifically speed spirit split sport spot staff standard star
statement status steady stomach stored strategy strength stress strike structure struggle stuff style subject
substance success successful sudden suddenly sufficient suit supply supposed sure survive suspect switch symbol task
team technical technique technology teeth tend term terms terrible thick thin threat throughout ticket tight title
tonight topic total tough tour track trade tradition traditional transfer trial trip trouble truck truly truth twelve
twenty twice typical ultimately uncertain unique unit united university unlike update upper usual usually valley
various vast vehicle version victim victory video violence vision visitor volume vote wages wall warning weapon web
wedding weekend weight western wild willing wind window wine wing winner wise witness wooden worth yard yesterday yet
youth zero zone
"""

WORDS = tuple(_TEXT.split())
