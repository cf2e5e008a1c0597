#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "routing/language.h"
#include "routing/language_han.h"

static const struct {
	const char *language;
	const char *text;
} sentences[] = {
	{ "en", "Hello, where is my order? It has been two weeks." },
	{ "en", "I want a refund for this" },
	{ "en", "The app does not work on my phone" },
	{ "en", "please help" },
	{ "en", "Can you cancel it?" },
	{ "en", "I'm still waiting for the invoice you promised." },
	{ "es", "Hola, ¿dónde está mi pedido?" },
	{ "es", "Quiero cambiar la dirección de entrega, por favor" },
	{ "es", "No me han devuelto el dinero" },
	{ "es", "La aplicación no funciona en mi teléfono" },
	{ "es", "Buenos días, tengo un problema con mi cuenta" },
	{ "fr", "Bonjour, où est ma commande ?" },
	{ "fr", "Je n'ai toujours pas reçu mon colis" },
	{ "fr", "Pouvez-vous annuler la livraison ?" },
	{ "fr", "L'application ne fonctionne pas sur mon téléphone" },
	{ "fr", "Je voudrais un remboursement, merci" },
	{ "de", "Hallo, wo ist meine Bestellung?" },
	{ "de", "Ich möchte mein Geld zurück" },
	{ "de", "Die App funktioniert nicht auf meinem Telefon" },
	{ "de", "Können Sie die Adresse noch ändern?" },
	{ "de", "Das Paket wurde beschädigt geliefert" },
	{ "pt", "Olá, onde está o meu pedido?" },
	{ "pt", "Não recebi a encomenda ainda" },
	{ "pt", "Preciso de ajuda com a minha conta" },
	{ "pt", "Vocês podem cancelar a compra, por favor? Obrigado" },
	{ "it", "Buongiorno, dove è il mio ordine?" },
	{ "it", "Non ho ancora ricevuto il pacco" },
	{ "it", "Vorrei un rimborso, grazie" },
	{ "it", "L'applicazione non funziona sul mio telefono, potete aiutarmi?" },
	{ "nl", "Hallo, waar is mijn bestelling?" },
	{ "nl", "Ik wil graag mijn geld terug" },
	{ "nl", "De app werkt niet op mijn telefoon" },
	{ "nl", "Kunt u het adres nog wijzigen?" },
	{ "zh-Hans", "你好，请问我的订单什么时候发货？" },
	{ "zh-Hans", "我要退款，你们的客服没有回复" },
	{ "zh-Hans", "请帮我开发票" },
	{ "zh-Hans", "这个 app 打不开" },
	{ "zh-Hans", "東京的酒店怎么订？请尽快给我回电话" },
	{ "zh-Hant", "你好，請問我的訂單什麼時候發貨？" },
	{ "zh-Hant", "我要退款，客服沒有回覆" },
	{ "zh-Hant", "請幫我開發票" },
	{ "zh-Hant", "這個 app 打不開" },
	{ "zh-Hant", "還沒收到，麻煩幫我查一下" },
	{ "zh", "我要退款" },
	{ "zh", "你好" },
	{ "ja", "注文した商品がまだ届きません" },
	{ "ja", "返金してください" },
	{ "ja", "アプリが開けません。" },
	{ "ja", "配送先住所を変更したいのですが" },
	{ "ko", "주문한 상품이 아직 안 왔어요" },
	{ "ko", "환불해 주세요" },
	{ "ko", "앱이 안 열려요 help" },
	{ "ru", "Здравствуйте, где мой заказ?" },
	{ "ru", "Верните деньги, пожалуйста" },
	{ "ru", "Приложение iPhone не работает" },
	{ "uk", "Де моє замовлення? Я ще його не отримав" },
	{ "ar", "أين طلبي؟" },
	{ "ar", "أريد استرداد المال" },
	{ "ar", "التطبيق لا يعمل على هاتفي" },
	{ "fa", "سفارش من کجاست؟" },
	{ "th", "สินค้ายังไม่มาส่งเลยค่ะ" },
	{ "th", "ขอคืนเงินได้ไหมครับ" },
	{ "el", "Πού είναι η παραγγελία μου;" },
	{ "he", "איפה ההזמנה שלי?" },
	{ "", "" },
	{ "", "12345 !!! ???" },
	{ "", "😀😀" },
	{ "", "qwrtz" },
};

Test(language, is_guessed_for_every_sentence_of_the_table)
{
	for (size_t i = 0; i < COUNT_OF(sentences); i++) {
		const char *got = language_guess(sentences[i].text, strlen(sentences[i].text));

		cr_expect_str_eq(got, sentences[i].language, "\"%s\": %s instead of %s",
				 sentences[i].text, got, sentences[i].language);
	}
}

Test(language, the_writing_is_the_one_with_the_largest_share)
{
	static const struct {
		const char *script;
		const char *text;
	} rows[] = {
		{ "Latin", "hello" },    { "Han", "你好 ok" },
		{ "Kana", "カタカナ" },  { "Hangul", "환불해 주세요 ok" },
		{ "Cyrillic", "заказ" }, { "Arabic", "طلب" },
		{ "Thai", "คืนเงิน" },     { "", "123" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect_str_eq(language_script(rows[i].text, strlen(rows[i].text)),
				 rows[i].script, "%s", rows[i].text);
}

Test(language, broken_bytes_are_passed_over)
{
	cr_assert_str_eq(language_guess("\xff\xfe the order \xe4", 15), "en");
	cr_assert_str_eq(language_guess("\xe4\xbd", 2), "");
}

Test(language, no_character_belongs_to_both_writings)
{
	size_t simplified = 0, traditional = 0;

	for (uint32_t i = 0x3400; i <= 0x9fff; i++) {
		cr_assert(!han_is_simplified(i) || !han_is_traditional(i), "%x", i);
		simplified += han_is_simplified(i);
		traditional += han_is_traditional(i);
	}
	cr_assert_gt(simplified, 400);
	cr_assert_gt(traditional, 400);
}
