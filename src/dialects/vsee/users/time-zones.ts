const PLACES: Readonly<Record<string, string>> = {
  Africa: `Cairo Johannesburg Windhoek`,
  America: `
    Anchorage Asuncion Bogota Buenos_Aires Caracas Chicago Denver Godthab Guatemala Halifax Los_Angeles
    Mazatlan Mexico_City Montevideo New_York Noronha Regina Santiago Sao_Paulo St_Johns
  `,
  Asia: `
    Amman Baghdad Baku Beirut Colombo Damascus Dhaka Dubai Ho_Chi_Minh Irkutsk Jakarta Jerusalem Kabul
    Karachi Kathmandu Kolkata Krasnoyarsk Magadan Novosibirsk Rangoon Riyadh Seoul Shanghai Singapore
    Taipei Tehran Tokyo Vladivostok Yakutsk Yekaterinburg Yerevan
  `,
  Atlantic: `Azores Cape_Verde`,
  Australia: `Adelaide Brisbane Darwin Hobart Perth Sydney`,
  Europe: `Berlin Bucharest Istanbul Kiev London Minsk Moscow Paris Prague Warsaw`,
  Pacific: `Apia Auckland Fiji Guam Honolulu Pago_Pago Tongatapu`,
};

/**
 * The time zones that the vendor knows, and no other. Not the runtime's own list: Node 24's lacks UTC,
 * Asia/Kolkata, Asia/Kathmandu and Asia/Ho_Chi_Minh, and takes hundreds that are not here.
 */
export const TIME_ZONES: ReadonlySet<string> = new Set([
  'UTC',
  ...Object.entries(PLACES).flatMap(([area, places]) =>
    places
      .trim()
      .split(/\s+/)
      .map((place) => `${area}/${place}`),
  ),
]);
