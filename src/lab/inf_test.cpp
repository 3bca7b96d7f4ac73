// SPDX-License-Identifier: MIT
//
// INFs: encodings, syntax, platforms, registry writes, and the line and reason of what is wrong with one.
#include "lab/inf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/unicode.h"

namespace undis::lab {
namespace {

using kernel::RegistryType;
using kernel::RegistryValue;
using ::testing::HasSubstr;

constexpr const char* kWhole = R"([Version]
Signature = "$Windows NT$" ; a comment
Class = Net

[Manufacturer]
%Maker% = Cards, NTx86, NTamd64.10.0, NTarm64

[Cards.NTx86]
%Desc% = Wrong.ndi, PCI\VEN_1234&DEV_0001

[Cards.NTamd64.10.0]
%Desc%  = Card.ndi, PCI\VEN_1234&DEV_0002, PCI\VEN_1234
"Other" = Other.ndi, ROOT\OTHER

[Cards.NTarm64]
%Desc% = Wrong.ndi, ACPI\X

[Card.ndi]
AddReg = Never

[Card.ndi.NTamd64]
Characteristics = 0x84
*IfType = 6
AddReg = Card.Reg, \
         Card.Params
DelReg = Card.Old
CopyFiles = Files.That.Are.Not.There

[Card.ndi.NTamd64.Services]
AddService = card, 2, Card.Service

[Card.Service]
ServiceType = 1
AddReg = Card.ServiceReg

[Card.ServiceReg]
HKR, Parameters, Depth, %REG_DWORD%, 0x20

[Card.Reg]
HKR, Ndi, Service, 0, "card"
HKR, Ndi\Interfaces, UpperRange, 0, "ndis5"
HKR,, Quoted, 0, "a ""b"", c; d"
HKR,, Percent, 0, 100%%
HKR,, Multi, 0x00010000, "one", "two"
HKR,, Multi, 0x00010008, "two", "three"
HKR,, Bytes, 1, 01, fe, 7A
HKR,, Number, 0x00010001, -1
HKR,, Kept, 0x00000002, "new"
HKR,, Expand, 0x00020000, "%%SystemRoot%%\x"
HKR, OnlyAKey

[Card.Params]
HKR, Ndi\params\*SpeedDuplex, ParamDesc, 0, %Speed%
HKR, Ndi\params\*SpeedDuplex, Default, 0, "0"
HKR, Ndi\params\*SpeedDuplex, Type, 0, "enum"
HKR, Ndi\params\NetworkAddress, Type, 0, "edit"

[Card.Old]
HKR,, Gone
HKR, OldKey

[Other.ndi]
AddReg = Other.Reg
[Other.Reg]
HKLM, Software\Other, X, 0x00010001, 7

[Strings]
Maker = "Somebody"
Desc = "A card"
Speed = "Speed"
REG_DWORD = 0x00010001
)";

loader::Result<Inf> parse(std::string_view text) {
  return Inf::parse("card.inf", text);
}

std::string utf16(std::string_view text, bool big) {
  std::string bytes = big ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : text) {
    if (big) bytes += '\0';
    bytes += c;
    if (!big) bytes += '\0';
  }
  return bytes;
}

constexpr const char* kMinimal =
    "[Version]\nSignature=\"$Windows "
    "NT$\"\n[Manufacturer]\n\"M\"=D\n[D]\n\"Caf\xC3\xA9\"=I,ROOT\\X\n[I]\nAddReg=R\n[R]\nHKR,,V,0,1\n";

TEST(AnInf, IsReadForAmd64) {
  const auto inf = parse(kWhole);
  ASSERT_TRUE(inf) << inf.error();
  ASSERT_EQ(inf->devices().size(), 2U);
  EXPECT_EQ(inf->devices()[0].description, "A card");
  EXPECT_EQ(inf->devices()[0].install, "Card.ndi");
  EXPECT_EQ(inf->devices()[0].hardware_ids,
            (std::vector<std::string>{"PCI\\VEN_1234&DEV_0002", "PCI\\VEN_1234"}));
  EXPECT_EQ(inf->device_with("pci\\ven_1234&dev_0002&subsys_00000000"), &inf->devices()[0]);
  EXPECT_EQ(inf->device_with("PCI\\VEN_9999&DEV_0002"), nullptr);
  EXPECT_EQ(inf->device_with("ROOT\\OTHER"), &inf->devices()[1]);
}

class Installing : public ::testing::Test {
 protected:
  void install(std::size_t device = 0) {
    const auto inf = parse(kWhole);
    ASSERT_TRUE(inf) << inf.error();
    const auto changes = inf->install(inf->devices()[device]);
    ASSERT_TRUE(changes) << changes.error();
    apply(*changes, {kDriver, kHardware, kService}, registry);
  }
  std::string text(std::u16string_view key, std::u16string_view name) {
    const auto value = registry.value(key, name);
    return value ? kernel::to_utf8(value->as_string()) : "(none)";
  }
  static constexpr const char16_t* kDriver = u"\\Registry\\Machine\\System\\Driver";
  static constexpr const char16_t* kHardware = u"\\Registry\\Machine\\System\\Hardware";
  static constexpr const char16_t* kService = u"\\Registry\\Machine\\System\\Service";
  kernel::Registry registry;
};

TEST_F(Installing, WritesTheValuesOfTheDecoratedSection) {
  registry.set_value(kDriver, u"Kept", RegistryValue::string("old"));
  registry.set_value(kDriver, u"Gone", RegistryValue::dword(1));
  registry.create_key(std::u16string(kDriver) + u"\\OldKey\\Sub");
  install();
  EXPECT_EQ(text(u"\\Registry\\Machine\\System\\Driver\\Ndi", u"Service"), "card");
  EXPECT_EQ(text(u"\\Registry\\Machine\\System\\Driver\\Ndi\\Interfaces", u"UpperRange"), "ndis5");
  EXPECT_EQ(text(kDriver, u"Quoted"), "a \"b\", c; d");
  EXPECT_EQ(text(kDriver, u"Percent"), "100%");
  EXPECT_EQ(registry.value(kDriver, u"Expand")->type, RegistryType::ExpandString);
  EXPECT_EQ(text(kDriver, u"Kept"), "old") << "FLG_ADDREG_NOCLOBBER";
  EXPECT_EQ(registry.value(kDriver, u"Gone"), std::nullopt);
  EXPECT_FALSE(registry.has_key(std::u16string(kDriver) + u"\\OldKey"));
  EXPECT_TRUE(registry.has_key(std::u16string(kDriver) + u"\\OnlyAKey"));
  EXPECT_EQ(*registry.value(kDriver, u"Multi"), RegistryValue::strings({"one", "two", "three"}));
  const std::uint8_t bytes[] = {0x01, 0xFE, 0x7A};
  EXPECT_EQ(*registry.value(kDriver, u"Bytes"), RegistryValue::binary(bytes, 3));
  EXPECT_EQ(registry.value(kDriver, u"Number")->as_dword(), 0xFFFFFFFFU);
  EXPECT_EQ(registry.value(kDriver, u"Characteristics")->as_dword(), 0x84U);
  EXPECT_EQ(registry.value(kDriver, u"*IfType")->as_dword(), 6U);
  EXPECT_EQ(registry.value(u"\\Registry\\Machine\\System\\Service\\Parameters", u"Depth")->as_dword(), 0x20U);
}

TEST_F(Installing, WritesTheDefaultOfEachAdvancedParameterAsText) {
  install();
  const auto value = registry.value(kDriver, u"*SpeedDuplex");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->type, RegistryType::String);
  EXPECT_EQ(kernel::to_utf8(value->as_string()), "0");
  EXPECT_EQ(registry.value(kDriver, u"NetworkAddress"), std::nullopt) << "it has no default";
}

TEST_F(Installing, LeavesAParameterThatIsSet) {
  registry.set_value(kDriver, u"*SpeedDuplex", RegistryValue::string("6"));
  install();
  EXPECT_EQ(text(kDriver, u"*SpeedDuplex"), "6");
}

TEST_F(Installing, TakesTheSectionOfTheDeviceThatIsMeant) {
  install(1);
  EXPECT_EQ(registry.value(u"\\Registry\\Machine\\Software\\Other", u"X")->as_dword(), 7U);
  EXPECT_EQ(text(kDriver, u"Quoted"), "(none)");
}

TEST(AnInf, MayBeATemplateForStampinf) {
  const auto inf =
      parse("[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n\"M\"=D,NT$ARCH$.10.0...16299\n"
            "[D.NT$ARCH$.10.0...16299]\n\"X\"=I,ROOT\\X\n");
  ASSERT_TRUE(inf) << inf.error();
  EXPECT_EQ(inf->devices()[0].hardware_ids, std::vector<std::string>{"ROOT\\X"});
}

TEST(AnInf, IsReadInEachEncoding) {
  const std::string ascii =
      "[Version]\nSignature=\"$CHICAGO$\"\r\n[Manufacturer]\n\"M\"=D\n[D]\n\"Card\"=I,ROOT\\X\n";
  for (const std::string& bytes : {ascii, "\xEF\xBB\xBF" + ascii, utf16(ascii, false), utf16(ascii, true)}) {
    const auto inf = parse(bytes);
    ASSERT_TRUE(inf) << inf.error();
    EXPECT_EQ(inf->devices()[0].description, "Card");
  }
  const auto utf8 = parse(kMinimal);
  ASSERT_TRUE(utf8) << utf8.error();
  EXPECT_EQ(utf8->devices()[0].description, "Caf\xC3\xA9");
  std::string ansi = kMinimal;
  ansi.replace(ansi.find("\xC3\xA9"), 2, "\xE9");
  const auto windows = parse(ansi);
  ASSERT_TRUE(windows) << windows.error();
  EXPECT_EQ(windows->devices()[0].description, "Caf\xC3\xA9");
}

/// What is said of a text.
std::string said(std::string_view text) {
  const auto inf = parse(text);
  if (!inf) return inf.error();
  const auto changes = inf->install(inf->devices()[0]);
  return changes ? "" : changes.error();
}

constexpr std::string_view kHead =
    "[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n\"M\"=D\n[D]\n\"X\"=I,ROOT\\X\n";

TEST(ABrokenInf, IsToldWithLineAndReason) {
  const std::string head(kHead);
  EXPECT_EQ(said("Signature=1\n"), "card.inf:1: a line before the first section: Signature=1");
  EXPECT_EQ(said("[Version\n"), "card.inf:1: the section name [Version has no ]");
  EXPECT_EQ(said("[Version]\nSignature=\"$Windows 95$\"\n"),
            "card.inf:2: the signature is \"$Windows 95$\"; expected \"$Windows NT$\" or \"$Chicago$\"");
  EXPECT_EQ(said("[Strings]\na=b\n"), "card.inf: there is no [Version] section");
  EXPECT_EQ(said("[Version]\nSignature=\"$Windows NT$\"\n"), "card.inf: there is no [Manufacturer] section");
  EXPECT_EQ(said("[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n%M%=D\n"),
            "card.inf:4: %M% is not defined in [Strings]");
  EXPECT_EQ(said("[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n\"M\"=D\n"),
            "card.inf:4: there is no models section [D]");
  EXPECT_EQ(said("[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n\"M\"=D\n[D]\n\"X\"=I\n"),
            "card.inf:6: a device needs an install section and a hardware id; \"X\" has no hardware id");
  EXPECT_EQ(said(head), "card.inf:6: there is no install section [I], with or without a platform");
  EXPECT_EQ(said(head + "[I]\nAddReg=R\n"), "card.inf:8: AddReg names [R], which there is not");
  EXPECT_EQ(said(head + "[I]\nAddReg=R\n[R]\nHKX,,V,0,1\n"),
            "card.inf:10: \"HKX\" is no root of the registry; expected HKR, HKLM, HKCU, HKU or HKCR");
  EXPECT_EQ(said(head + "[I]\nAddReg=R\n[R]\nHKR,,V,0x10001,many\n"), "card.inf:10: \"many\" is no number");
  EXPECT_EQ(said(head + "[I]\nAddReg=R\n[R]\nHKR,,V,1,0G\n"),
            "card.inf:10: 0G is no byte in hexadecimal digits");
  EXPECT_EQ(said(head + "[I]\nAddReg=R\n[R]\nHKR,,V,0,\"open\n"),
            "card.inf:10: the quotation mark of HKR,,V,0,\"open is never closed");
  EXPECT_EQ(said(std::string("\xFF\xFE[", 3)),
            "card.inf: the file is UTF-16 by its mark and has an odd number of bytes");
  EXPECT_THAT(said(std::string("[\0V\0", 4)), HasSubstr("zero bytes and no mark"));
}

TEST(ABrokenInf, ThatIsNotThereIsToldByItsName) {
  const auto inf = Inf::read("/nowhere/card.inf");
  ASSERT_FALSE(inf);
  EXPECT_EQ(inf.error(), "/nowhere/card.inf: cannot be read");
}

}  // namespace
}  // namespace undis::lab
