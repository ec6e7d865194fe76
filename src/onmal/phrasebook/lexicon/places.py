"""Places and times.

Places: Korean | English | to | at: the English as a destination ("to school", "home") and as a location ("at school").
Cities and countries are "to X" and "in X". Times: Korean | English | the tenses that they go with, of
past, present, progressive, future.
"""

PLACES = """
학교 | school | to school | at school
도서관 | library | to the library | at the library
시장 | market | to the market | at the market
공원 | park | to the park | in the park
병원 | hospital | to the hospital | at the hospital
식당 | restaurant | to the restaurant | at the restaurant
카페 | cafe | to the cafe | at the cafe
은행 | bank | to the bank | at the bank
백화점 | department store | to the department store | at the department store
우체국 | post office | to the post office | at the post office
서점 | bookstore | to the bookstore | at the bookstore
극장 | theater | to the theater | at the theater
공항 | airport | to the airport | at the airport
역 | station | to the station | at the station
바다 | sea | to the sea | at the sea
산 | mountain | to the mountain | on the mountain
약국 | pharmacy | to the pharmacy | at the pharmacy
편의점 | convenience store | to the convenience store | at the convenience store
호텔 | hotel | to the hotel | at the hotel
박물관 | museum | to the museum | at the museum
수영장 | swimming pool | to the swimming pool | at the swimming pool
체육관 | gym | to the gym | at the gym
교회 | church | to the church | at the church
빵집 | bakery | to the bakery | at the bakery
동물원 | zoo | to the zoo | at the zoo
미용실 | hair salon | to the hair salon | at the hair salon
경찰서 | police station | to the police station | at the police station
대사관 | embassy | to the embassy | at the embassy
"""

HOME = """
집/home | home | home | at home
회사 | work | to work | at work
"""

ROOMS = """
부엌 | kitchen | to the kitchen | in the kitchen
거실 | living room | to the living room | in the living room
교실 | classroom | to the classroom | in the classroom
사무실 | office | to the office | in the office
정원 | garden | to the garden | in the garden
운동장 | playground | to the playground | on the playground
"""

CITIES = """
서울 | Seoul
부산 | Busan
제주도 | Jeju Island
경주 | Gyeongju
인천 | Incheon
도쿄 | Tokyo
파리 | Paris
런던 | London
뉴욕 | New York
"""

COUNTRIES = """
한국 | Korea
미국 | America
일본 | Japan
중국 | China
영국 | England
프랑스 | France
독일 | Germany
캐나다 | Canada
호주 | Australia
베트남 | Vietnam
인도 | India
이탈리아 | Italy
스페인 | Spain
"""

TIMES = """
어제 | yesterday | past
오늘 | today | past present future progressive
내일 | tomorrow | future
매일 | every day | present
지금 | now | progressive
주말에 | on the weekend | past future present
아침에 | in the morning | past future present
저녁에 | in the evening | past future present
오후에 | in the afternoon | past future present
밤에 | at night | past future present
지난주에 | last week | past
다음 주에 | next week | future
오늘 아침에 | this morning | past
오늘 저녁에 | this evening | future
오늘 밤에 | tonight | future
어젯밤에 | last night | past
지난달에 | last month | past
다음 달에 | next month | future
작년에 | last year | past
내년에 | next year | future
그저께 | the day before yesterday | past
모레 | the day after tomorrow | future
매주 | every week | present
매일 아침 | every morning | present
매일 밤 | every night | present
요즘 | these days | present progressive
조금 전에 | a little while ago | past
여름에 | in summer | past present future
겨울에 | in winter | past present future
봄에 | in spring | past present future
가을에 | in fall | past present future
"""

# Where things lie: Korean | English | what may be there.
SPOTS = """
책상 위 | on the desk | book stationery 컴퓨터 노트북 시계 지갑 컵 우산 카메라 안경 편지 휴대폰
식탁 위 | on the table | fruit kitchenware 빵 우유 꽃 케이크 피자 신문 편지 약
의자 위 | on the chair | 가방 모자 코트 고양이 책 수건 인형 우산
침대 위 | on the bed | clothes 고양이 인형 담요 책 수건 휴대폰
침대 아래 | under the bed | 신발 상자 강아지 공 양말 장난감 슬리퍼 쥐
식탁 아래 | under the table | 개 고양이 가방 공 쓰레기 상자
가방 안 | in the bag | book stationery 지갑 우산 여권 열쇠 돈 안경 카메라 약 표 선물 사탕
냉장고 안 | in the refrigerator | fruit vegetable drink 고기 계란 치즈 김치 두부 아이스크림
상자 안 | in the box | goods 초콜릿 쿠키 반지 편지 사진 고양이 신발 밤/chestnut 배/pear
방 안 | in the room | furniture 피아노 텔레비전 에어컨 고양이 선풍기
나무 아래 | under the tree | 의자 자전거 개 고양이 아이 말/horse 양 텐트
나무 위 | in the tree | 새 고양이 원숭이 사과 배/pear 오렌지
문 앞 | in front of the door | 상자 자전거 개 신발 꽃 우산 트럭 차/car
집 뒤 | behind the house | 나무 자전거 개 말/horse 트럭 차/car 오토바이 소 토끼
강 위 | on the river | 배/ship 오리 다리/bridge
지붕 위 | on the roof | 새 고양이 공 눈/snow 원숭이
"""

POSITIONS = """
옆 | next to
앞 | in front of
뒤 | behind
근처 | near
"""
