#include "routing/language_words.h"

const struct language_words language_words[] = {
	{ "en",
	  " the a an and or but is are was were be been am i you he she it we they my your his her "
	  "our their this that these those what when where why how who which will would can could "
	  "should do does did have has had not don't can't i'm it's to of in on at for from with "
	  "about please thanks thank hello hi me if there here been still want need any some "
	  "refund order help ",
	  "" },
	{ "es",
	  " el la los las un una unos y o pero es son era está están estoy soy ser yo tú usted él "
	  "ella nosotros mi mis su sus este esta esto ese eso qué que cuándo dónde cómo por porque "
	  "para con sin de del al en no sí me te se lo le ha he hay muy más gracias hola buenos "
	  "buenas favor quiero puedo pueden tengo necesito pedido todavía ya ",
	  "ñ¿¡" },
	{ "fr",
	  " le la les un une des du de et ou mais est sont était être je tu il elle nous vous ils "
	  "mon ma mes votre vos son sa ses ce cet cette ces que qui quoi quand où comment pourquoi "
	  "pour avec sans dans sur au aux en ne pas plus très j'ai n'ai c'est l'ai ai avez bonjour "
	  "merci voudrais veux peux pouvez commande reçu toujours ",
	  "çœêèù" },
	{ "de",
	  " der die das den dem des ein eine einen einem einer und oder aber ist sind war waren "
	  "sein ich du er sie es wir ihr mein meine meinen mir mich ihre unser dieser diese dieses "
	  "was wann wo wie warum wer mit ohne für von zu zum zur bei auf in im am an nicht kein "
	  "keine noch schon bitte danke hallo guten habe haben hat wurde kann können möchte "
	  "bestellung ",
	  "ßäü" },
	{ "pt",
	  " o a os as um uma e ou mas é são era está estão estou sou ser eu você ele ela nós meu "
	  "minha meus seu sua este esta isso isto que quando onde como por porque para com sem de "
	  "do da dos das no na nos em não sim me se lhe há muito mais obrigado obrigada olá bom "
	  "boa favor quero posso podem tenho preciso pedido ainda já ",
	  "ãõ" },
	{ "it",
	  " il lo la i gli le un uno una e o ma è sono era essere io tu lui lei noi voi mio mia "
	  "miei suo sua questo questa quello che chi quando dove come perché per con senza di del "
	  "della dei delle al alla nel nella da dal non si mi ti ci ho ha hai abbiamo molto più "
	  "grazie ciao buongiorno favore vorrei posso potete ordine ancora già ",
	  "ìò" },
	{ "nl",
	  " de het een en of maar is zijn was waren ik jij je u hij zij we wij mijn uw jullie deze "
	  "dit dat die wat wanneer waar hoe waarom wie met zonder voor van te naar bij op in aan "
	  "niet geen nog al alstublieft bedankt dank hallo goedemorgen heb hebben heeft kan kunt "
	  "wil graag mij bestelling ",
	  "" },
};

const size_t language_words_count = sizeof(language_words) / sizeof(language_words[0]);
