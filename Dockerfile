# Portico as a container: the sources as they are (Node strips the types), the dependencies of production,
# a user without rights, nothing that is written below /app. Configuration comes from the environment;
# docker-compose.yml shows all of it.
FROM node:24-bookworm-slim

ENV NODE_ENV=production
WORKDIR /app

# No package that is needed runs a script of its own at installation.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

COPY bin ./bin
COPY config ./config
COPY public ./public
COPY views ./views
COPY src ./src

# For the embedded store, where somebody asks for it (a volume on /data): /app itself may be read-only.
RUN mkdir -m 700 /data && chown node:node /data

USER node
EXPOSE 3000

# Whether the process answers. Not /readyz: that says no while a store is away, which a restart does not mend.
HEALTHCHECK --interval=10s --timeout=3s --start-period=45s --retries=3 \
	CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORTICO_HTTP__PORT || process.env.PORT || 3000}/livez`).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=60", "bin/server.js"]
