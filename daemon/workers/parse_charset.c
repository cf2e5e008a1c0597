/* One iconv descriptor per charset is opened before the sandbox and kept: with
 * openat refused, iconv_open() fails for a charset that is not loaded yet. */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

/* What the label says, and what is really sent under it: GB 18030 contains GBK
 * and GB 2312, windows-1252 contains ISO 8859-1, and so on. */
static const struct {
	const char *label;
	const char *real; /* NULL: UTF-8, or a guess where the bytes are not */
} labels[] = {
	{ "utf-8", NULL },
	{ "utf8", NULL },
	{ "us-ascii", NULL },
	{ "ascii", NULL },
	{ "ansi_x3.4-1968", NULL },
	{ "gb18030", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb2312", "GB18030" },
	{ "gb_2312-80", "GB18030" },
	{ "gb2312_charset", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "ms936", "GB18030" },
	{ "windows-936", "GB18030" },
	{ "euc-cn", "GB18030" },
	{ "chinese", "GB18030" },
	{ "big5", "BIG5-HKSCS" },
	{ "big5-hkscs", "BIG5-HKSCS" },
	{ "cn-big5", "BIG5-HKSCS" },
	{ "x-x-big5", "BIG5-HKSCS" },
	{ "cp950", "BIG5-HKSCS" },
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "iso-2022-jp-ms", "ISO-2022-JP" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "windows-31j", "CP932" },
	{ "cp932", "CP932" },
	{ "euc-jp", "EUC-JP" },
	{ "iso-2022-kr", "ISO-2022-KR" },
	{ "euc-kr", "CP949" },
	{ "ks_c_5601-1987", "CP949" },
	{ "cp949", "CP949" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "iso-8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-9", "CP1254" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-11", "ISO-8859-11" },
	{ "tis-620", "ISO-8859-11" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-1250", "CP1250" },
	{ "windows-1251", "CP1251" },
	{ "windows-1252", "CP1252" },
	{ "windows-1253", "CP1253" },
	{ "windows-1254", "CP1254" },
	{ "windows-1255", "CP1255" },
	{ "windows-1256", "CP1256" },
	{ "windows-1257", "CP1257" },
	{ "windows-1258", "CP1258" },
	{ "cp1250", "CP1250" },
	{ "cp1251", "CP1251" },
	{ "cp1252", "CP1252" },
	{ "cp866", "CP866" },
	{ "macintosh", "MACINTOSH" },
	{ "utf-7", "UTF-7" },
	{ "utf-16", "UTF-16" },
	{ "utf-16le", "UTF-16LE" },
	{ "utf-16be", "UTF-16BE" },
};

static iconv_t *opened; /* per label; the process has one sandbox and one table */

int charset_open(struct error *err)
{
	if (opened != NULL)
		return 0;
	opened = memory_new(COUNT_OF(labels) * sizeof(*opened));
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		if (labels[i].real == NULL)
			continue;
		for (size_t j = 0; j < i && opened[i] == NULL; j++)
			if (labels[j].real != NULL && strcmp(labels[j].real, labels[i].real) == 0)
				opened[i] = opened[j];
		if (opened[i] != NULL)
			continue;
		opened[i] = iconv_open("UTF-8", labels[i].real);
		if (opened[i] == (iconv_t)-1) {
			opened[i] = NULL;
			return error_set(err, ERROR_PERMANENT, "no iconv for %s", labels[i].real);
		}
	}
	return 0;
}

void charset_close(void)
{
	if (opened == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		bool is_first = opened[i] != NULL;

		for (size_t j = 0; j < i; j++)
			is_first = is_first && opened[j] != opened[i];
		if (is_first)
			iconv_close(opened[i]);
	}
	free(opened);
	opened = NULL;
}

static iconv_t find(const char *real)
{
	for (size_t i = 0; opened != NULL && i < COUNT_OF(labels); i++)
		if (labels[i].real != NULL && strcmp(labels[i].real, real) == 0)
			return opened[i];
	return NULL;
}

/* Appends the conversion; the number of bytes that meant nothing. */
static size_t convert(iconv_t with, const char *bytes, size_t len, struct buf *out)
{
	char piece[4096];
	char *from;
	size_t bad = 0;

	memcpy(&from, &bytes, sizeof(from)); /* iconv's parameter has no const */
	iconv(with, NULL, NULL, NULL, NULL);
	while (len > 0) {
		char *to = piece;
		size_t room = sizeof(piece);
		size_t rc = iconv(with, &from, &len, &to, &room);
		int code = errno;

		buf_add(out, piece, (size_t)(to - piece));
		if (rc != (size_t)-1 || code == E2BIG)
			continue;
		buf_text(out, "\xef\xbf\xbd");
		bad++;
		if (code == EINVAL) /* cut in the middle of a character */
			break;
		from++;
		len--;
	}
	return bad;
}

/* Chinese mail without a label is common, and random bytes are seldom valid in it. */
static void guess(const char *bytes, size_t len, struct buf *out)
{
	iconv_t chinese = find("GB18030");
	iconv_t latin = find("CP1252");
	struct buf tried = { 0 };

	if (!text_is_utf8(bytes, len) && chinese != NULL && latin != NULL) {
		if (convert(chinese, bytes, len, &tried) > 0) {
			buf_reset(&tried);
			convert(latin, bytes, len, &tried);
		}
		buf_add(out, tried.data, tried.len);
	} else {
		buf_add(out, bytes, len); /* text_clean() mends it */
	}
	buf_clear(&tried);
}

bool charset_decode(const char *name, const char *bytes, size_t len, struct buf *out)
{
	for (size_t i = 0; name != NULL && i < COUNT_OF(labels); i++) {
		if (strcasecmp(labels[i].label, name) != 0)
			continue;
		if (labels[i].real == NULL)
			break;
		if (opened == NULL)
			break;
		convert(opened[i], bytes, len, out);
		return true;
	}
	if (name != NULL && strncasecmp(name, "utf", 3) == 0) {
		buf_add(out, bytes, len);
		return true;
	}
	guess(bytes, len, out);
	return text_is_utf8(bytes, len);
}
