/* The phone worker, a program of its own: national phone numbers to E.164 by
 * libphonenumber (the only file of it, and the only C++). A job is "CN 13800138000":
 * the country they were typed in ("ZZ": none), a space, the number. The answer is
 * the number in E.164, or nothing where it is not one. */
#include <phonenumbers/phonenumberutil.h>

#include <cstdio>
#include <cstring>
#include <string>

extern "C" {
#include "workers/sandbox.h"
#include "workers/worker.h"
}

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

const size_t ADDRESS_SPACE = static_cast<size_t>(1024) * 1024 * 1024;
const size_t DESCRIPTORS = 64;
const size_t REGION_BYTES = 2;
/* Below it are service numbers such as 10086, which name no person. */
const size_t NATIONAL_MIN = 6;

/* The library's metadata are older than some numbers in use, so a number must be
 * possible, not known. One with an extension is not one person's. */
bool is_usable(const PhoneNumberUtil &util, const PhoneNumber &number)
{
	std::string national;

	if (number.has_extension() ||
	    util.IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE)
		return false;
	util.GetNationalSignificantNumber(number, &national);
	return national.size() >= NATIONAL_MIN || util.IsValidNumber(number);
}

std::string phone_read(const std::string &region, const std::string &typed)
{
	const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string text;

	if (util.Parse(typed, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
	    !is_usable(util, number))
		return "";
	util.Format(number, PhoneNumberUtil::E164, &text);
	return text;
}

int phone_start(struct error *err)
{
	if (sandbox_limits(ADDRESS_SPACE, DESCRIPTORS, err) < 0)
		return -1;
	/* What the library reads or makes once, it does before the sandbox forbids it. */
	if (phone_read("CN", "13800138000") != "+8613800138000")
		return error_set(err, ERROR_PERMANENT, "libphonenumber does not work");
	return sandbox_compute(err);
}

int phone_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	if (len <= REGION_BYTES || job[REGION_BYTES] != ' ')
		return error_set(err, ERROR_MISUSE, "a phone job without a country");
	buf_text(answer, phone_read(std::string(job, REGION_BYTES),
				    std::string(job + REGION_BYTES + 1, len - REGION_BYTES - 1))
				 .c_str());
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc == 2 && std::strcmp(argv[1], "--worker=phone") == 0)
		return worker_serve("phone", phone_start, phone_handle);
	std::fputs("converged-phone: started by converged, not by hand\n", stderr);
	return 64;
}
